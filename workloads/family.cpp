// SPDX-License-Identifier: MIT
//
// Shows what a child and a new program inherit. FORK makes a child which takes the rig's place at
// the other end of the line, while the parent only waits for it; EXEC replaces the program by
// itself, and EXECVEAT does so by a descriptor; EXEC_NOTHING tries to by a name that is too long.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <string>

#include "lib/holder.h"

namespace {

using mosrig::guest::say;

class Family final : public mosrig::guest::Holder {
  public:
    explicit Family(char** argv) : Holder("family"), argv_(argv) {}

    const char* hold() override { return nullptr; }

    bool command(const char* word) override {
        if (strcmp(word, "FORK") == 0) {
            become_child();
            return true;
        }
        if (strcmp(word, "EXEC") == 0) {
            (void)execv("/proc/self/exe", argv_);
            say("BAD execv failed");
            return true;
        }
        if (strcmp(word, "EXECVEAT") == 0) {
            const int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
            (void)execveat(fd, "", argv_, environ, AT_EMPTY_PATH);
            say("BAD execveat failed");
            return true;
        }
        if (strcmp(word, "EXEC_NOTHING") == 0) {
            const std::string name(size_t{2} * PATH_MAX, 'x');
            (void)execv(name.c_str(), argv_);
            say(errno == ENAMETOOLONG ? "OK" : "BAD the name is not too long");
            return true;
        }
        return Holder::command(word);
    }

  private:
    // The child returns to serve the rig; the parent ends as the child ends.
    static void become_child() {
        const pid_t child = fork();
        if (child < 0) {
            say("BAD fork failed");
            return;
        }
        if (child == 0) {
            say("READY");
            return;
        }
        int status = 0;
        (void)waitpid(child, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    }

    char** argv_;
};

}  // namespace

int main(int /*argc*/, char** argv) {
    Family program(argv);
    return mosrig::guest::run_holder(program);
}
