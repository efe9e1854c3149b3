// SPDX-License-Identifier: MIT
//
// stall [--remove-shm KEY] PROGRAM ARG...: runs a program that prints and is soon gone, and makes
// it wait at its first output, so that there is time to look at it. Its output goes into a pipe
// that is already full. A line on stdin (or its end) opens the pipe; from then on everything that
// the program printed is passed on. Ends with the program's own status.
#include <fcntl.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int rig_failed = 125;

int fail(const char* what) {
    (void)fprintf(stderr, "stall: %s: %s\n", what, strerror(errno));
    return rig_failed;
}

// Removes what the HOWTO's program leaves behind. No segment is no error.
void remove_segment(key_t key) {
    const int segment = key != 0 ? shmget(key, 0, 0) : -1;
    if (segment >= 0) {
        (void)shmctl(segment, IPC_RMID, nullptr);
    }
}

// Fills the pipe to the brim; how many bytes of filler the reader has to drop.
size_t fill(int fd) {
    const char filler[512] = {};
    size_t total = 0;
    (void)fcntl(fd, F_SETPIPE_SZ, 4096);
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    for (size_t piece = sizeof filler; piece > 0; piece /= 2) {
        for (ssize_t done = write(fd, filler, piece); done > 0; done = write(fd, filler, piece)) {
            total += static_cast<size_t>(done);
        }
    }
    (void)fcntl(fd, F_SETFL, 0);
    return total;
}

void pass_on(int fd, size_t filler) {
    char bytes[4096];
    for (;;) {
        const ssize_t count = read(fd, bytes, sizeof bytes);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return;
        }
        const auto got = static_cast<size_t>(count);
        const size_t dropped = got < filler ? got : filler;
        filler -= dropped;
        (void)!write(STDOUT_FILENO, bytes + dropped, got - dropped);
    }
}

}  // namespace

int main(int argc, char** argv) {
    int first = 1;
    key_t key = 0;
    if (argc > 3 && strcmp(argv[1], "--remove-shm") == 0) {
        key = static_cast<key_t>(strtol(argv[2], nullptr, 0));
        first = 3;
    }
    int ends[2];
    if (first >= argc || pipe2(ends, O_CLOEXEC) != 0) {
        return fail("nothing to run");
    }
    remove_segment(key);
    const size_t filler = fill(ends[1]);
    const pid_t child = fork();
    if (child < 0) {
        return fail("fork");
    }
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)dup2(ends[1], STDERR_FILENO);
        (void)execvp(argv[first], argv + first);
        _exit(rig_failed);
    }
    (void)close(ends[1]);
    (void)printf("PID %d\n", child);
    (void)fflush(stdout);
    char line[64];
    (void)!read(STDIN_FILENO, line, sizeof line);
    pass_on(ends[0], filler);
    int status = 0;
    (void)waitpid(child, &status, 0);
    remove_segment(key);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
