// SPDX-License-Identifier: MIT
#include "harness/conformance/boot_profiles.h"

#include <fmt/format.h>

#include <cstdlib>
#include <set>

#include "harness/conformance/beside.h"
#include "harness/process/node_machine.h"
#include "harness/process/process_state.h"
#include "harness/verdict/verdict.h"

namespace mosrig {

namespace {

constexpr Millis answer_time(20000);
constexpr std::int64_t init = 1;
constexpr std::int64_t kthreadd = 2;

// One number a line: of a child of a locked shell, and of a child of a login shell that such a one
// has started.
constexpr const char* login_script =
    "sh -c 'cat /proc/self/lock'; su -l root -c 'cat /proc/self/lock'";

// Their own scripts unlock them: who logs in is not locked with the daemon that let him in, and the
// node daemon's stubs become processes of other nodes. All below them is unlocked, too.
const std::set<std::string> unlocked{"sshd", "dropbear", "omd"};

// Who asks for a login name: inittab starts it without a lock.
const std::set<std::string> logins{"getty", "agetty", "login", "sulogin"};

Result<BootedNode> look_at(Cluster& cluster, Node& node) {
    const Deadline deadline = cluster.deadline("the processes of " + node.name(), answer_time);
    NodeMachine machine(node);
    BootedNode seen;
    seen.name = node.name();
    seen.profile = node.info().profile;
    MOSRIG_TRY(const std::vector<TaskStat> tasks, list_tasks(machine, deadline));
    std::vector<std::string> paths;
    paths.reserve(tasks.size());
    for (const TaskStat& task : tasks) {
        paths.push_back(fmt::format("/proc/{}/lock", task.pid));
    }
    MOSRIG_TRY(const auto locks, machine.read_files(paths, deadline));
    for (size_t at = 0; at < tasks.size(); ++at) {
        const TaskStat& task = tasks[at];
        // One that has ended meanwhile is no process of the node.
        if (locks.at(at)) {
            seen.processes.push_back(
                {task.pid, task.ppid, task.comm, std::atoi(locks.at(at)->c_str())});
        }
    }
    MOSRIG_TRY(const CommandResult shells,
               machine.run({"mosrun", "-h", "sh", "-c", login_script}, deadline, 0));
    if (std::sscanf(shells.out.c_str(), "%d %d", &seen.lock_of_child,  // NOLINT(cert-err34-c)
                    &seen.lock_of_login_child) != 2) {
        return infra_error(
            fmt::format("no login shell on {}: {}{}", node.name(), shells.out, shells.err));
    }
    return seen;
}

// The daemons that are unlocked, and everything below them.
std::set<std::int64_t> below_unlocked(const BootedNode& node) {
    std::set<std::int64_t> found;
    for (bool more = true; more;) {
        more = false;
        for (const BootedProcess& process : node.processes) {
            if (unlocked.contains(process.comm) || found.contains(process.ppid)) {
                more = found.insert(process.pid).second || more;
            }
        }
    }
    return found;
}

bool is_kernels(const BootedProcess& process) {
    return process.pid == kthreadd || process.ppid == kthreadd;
}

std::string words(const std::vector<BootedProcess>& processes) {
    std::string text;
    for (const BootedProcess& process : processes) {
        text += fmt::format("{}{} (pid {}, lock {})", text.empty() ? "" : ", ", process.comm,
                            process.pid, process.lock);
    }
    return text;
}

// Every one of `processes` has that lock.
void expect_lock(Judge& judge, const std::string& who, const std::vector<BootedProcess>& processes,
                 int lock) {
    std::vector<BootedProcess> others;
    for (const BootedProcess& process : processes) {
        if (process.lock != lock) {
            others.push_back(process);
        }
    }
    judge.check(fmt::format("lock of {} is {}", who, lock), others.empty() && !processes.empty(),
                processes.empty() ? "there is none" : words(others));
}

struct Sorted {
    std::vector<BootedProcess> kernel;
    std::vector<BootedProcess> init;
    std::vector<BootedProcess> logins;
    std::vector<BootedProcess> unlocked;
    std::vector<BootedProcess> booted;
};

Sorted sort(const BootedNode& node) {
    Sorted sorted;
    const std::set<std::int64_t> below = below_unlocked(node);
    for (const BootedProcess& process : node.processes) {
        if (is_kernels(process)) {
            sorted.kernel.push_back(process);
        } else if (process.pid == init) {
            sorted.init.push_back(process);
        } else if (below.contains(process.pid)) {
            sorted.unlocked.push_back(process);
        } else if (logins.contains(process.comm)) {
            sorted.logins.push_back(process);
        } else {
            sorted.booted.push_back(process);
        }
    }
    return sorted;
}

CaseResult conclude(const Judge& judge, const BootedNode* node) {
    CaseResult result;
    if (node != nullptr) {
        result.nodes = {node->name};
        result.where = 0;
    }
    result.verdict = judge.verdict();
    result.reason = judge.reason();
    result.evidence = judge.checks();
    return result;
}

const BootedNode* find(const std::vector<BootedNode>& nodes, const std::string& profile) {
    for (const BootedNode& node : nodes) {
        if (node.profile == profile) {
            return &node;
        }
    }
    return nullptr;
}

CaseResult judge_boot(const std::vector<BootedNode>& nodes, const std::string& profile, int lock) {
    const BootedNode* node = find(nodes, profile);
    Judge judge;
    judge.check("a node booted with " + profile, node != nullptr);
    if (node != nullptr) {
        const Sorted sorted = sort(*node);
        expect_lock(judge, "the kernel's threads", sorted.kernel, 0);
        expect_lock(judge, "init", sorted.init, 0);
        expect_lock(judge, "the login on the console", sorted.logins, 0);
        expect_lock(judge, "sshd, the node daemon and what they start", sorted.unlocked, 0);
        expect_lock(judge, "what else inittab's rc lines started", sorted.booted, lock);
    }
    CaseResult result = conclude(judge, node);
    result.lock = lock;
    return result;
}

}  // namespace

CaseResult judge_open_boot(const std::vector<BootedNode>& nodes) {
    return judge_boot(nodes, "open-boot", 0);
}

CaseResult judge_locked_boot(const std::vector<BootedNode>& nodes) {
    return judge_boot(nodes, "locked-boot", 1);
}

CaseResult judge_login(const std::vector<BootedNode>& nodes) {
    Judge judge;
    judge.check("nodes booted", !nodes.empty());
    for (const BootedNode& node : nodes) {
        judge.check(fmt::format("on {} a child of a locked shell is locked", node.name),
                    node.lock_of_child == 1, std::to_string(node.lock_of_child));
        judge.check(fmt::format("on {} a child of a login shell that it starts is not", node.name),
                    node.lock_of_login_child == 0, std::to_string(node.lock_of_login_child));
    }
    CaseResult result = conclude(judge, nodes.empty() ? nullptr : &nodes.back());
    result.lock = 0;
    return result;
}

Result<std::vector<BootedNode>> boot_profiles(const Places& places, const ClusterInfo& info) {
    ClusterFlags flags;
    flags.nodes = 2;
    flags.image = info.image_kind;
    flags.more = {"--profile=open-boot", "--profile=node2=locked-boot", "--unlock-logins"};
    std::vector<BootedNode> seen;
    MOSRIG_CHECK(
        with_cluster_beside(places, info, "boot", flags, [&seen](Cluster& cluster) -> Result<void> {
            for (Node& node : cluster.nodes()) {
                MOSRIG_TRY(BootedNode one, look_at(cluster, node));
                seen.push_back(std::move(one));
            }
            return {};
        }));
    return seen;
}

CaseResult judge_profile(const ProfileCase& one, const Result<std::vector<BootedNode>>& nodes) {
    CaseResult result;
    if (nodes) {
        result = one.judge(*nodes);
    } else {
        Judge judge;
        judge.trouble(nodes.error());
        result = conclude(judge, nullptr);
    }
    result.id = one.id;
    result.title = one.title;
    result.tier = "full";
    return result;
}

}  // namespace mosrig
