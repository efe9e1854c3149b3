// SPDX-License-Identifier: GPL-2.0-only
// Each reason against recorded text of /proc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/test_folder.h"
#include "moswhy/explain.h"

namespace mosrig {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Reasons : public testing::Test {
  protected:
    void SetUp() override {
        node_.cluster();
        node_.process(1, "init", 0);
        node_.process(50, "prog", 1, "VmLck:\t       0 kB\n");
        node_.put("proc/50/mountinfo",
                  "22 1 0:33 / /tmp rw - tmpfs tmpfs rw\n23 1 254:1 / / rw - ext4 /dev/vda rw\n");
    }
    [[nodiscard]] Explanation explain(const std::string& word) const {
        return explain_reason(word, Subject(50, node_.places())).explanation;
    }
    void maps(int pid, const std::string& text) const {
        node_.put("proc/" + std::to_string(pid) + "/maps", text);
    }
    // Opened with `flags`, in octal; mounts are those of process 50.
    void open(int pid, int number, const std::string& flags, const std::string& mount,
              const std::string& inode) const {
        const std::string folder = "proc/" + std::to_string(pid) + "/";
        node_.put(folder + "fdinfo/" + std::to_string(number),
                  "pos:\t0\nflags:\t" + flags + "\nmnt_id:\t" + mount + "\nino:\t" + inode + "\n");
        node_.put(folder + "mountinfo", node_.get("proc/50/mountinfo"));
    }
    TestFolder node_;
};

TEST_F(Reasons, SystemVSharedMemoryIsNamedWithItsCreator) {
    maps(50, "1000-11000 rw-s 00000000 00:01 7 /SYSV00000000 (deleted)\n");
    node_.put("proc/sysvipc/shm",
              "       key      shmid perms                  size  cpid  lpid nattch   uid\n"
              "         0          7   600                 65536    60    50      2  1000\n");
    node_.process(60, "maker", 1);
    maps(60, "5000-15000 r--s 00000000 00:01 7 /SYSV00000000 (deleted)\n");
    const auto explanation = explain("monkey");
    EXPECT_THAT(explanation.causes,
                ElementsAre(AllOf(HasSubstr("1000-11000 (64 KiB)"), HasSubstr("shm id 7"),
                                  HasSubstr("made by 60 (maker)"), HasSubstr("attached 2 times"),
                                  HasSubstr("also in 60 (maker)"))));
    EXPECT_THAT(explanation.command, HasSubstr("ipcs -m -i 7"));
}

TEST_F(Reasons, TheFirstSystemVSharedMemoryHasNumber0) {
    maps(50, "1000-11000 rw-s 00000000 00:01 0 /SYSV00000000 (deleted)\n");
    node_.process(60, "other", 1);
    maps(60,
         "1000-2000 rw-p 00000000 00:00 0 [heap]\n"
         "5000-15000 rw-s 00000000 00:01 0 /SYSV00000000 (deleted)\n");
    EXPECT_THAT(explain("monkey").causes,
                ElementsAre(AllOf(HasSubstr("shm id 0"), HasSubstr("also in 60 (other)"))));
}

TEST_F(Reasons, SharedMemoryOfEachKind) {
    maps(50,
         "1000-2000 rw-s 00000000 00:01 8 /dev/zero (deleted)\n"
         "2000-3000 r--s 00000000 00:01 9 /memfd:buffer (deleted)\n"
         "3000-4000 r--s 00000000 00:21 10 /tmp/x\n"
         "4000-5000 rw-s 00000000 fe:01 11 /var/db\n"
         "5000-6000 r--s 00000000 fe:01 12 /usr/lib/locale\n"
         "6000-7000 r-xp 00000000 fe:01 13 /bin/prog\n");
    EXPECT_THAT(explain("monkey").causes,
                ElementsAre(HasSubstr("without a file (mmap with MAP_SHARED"),
                            HasSubstr("memfd_create, named 'buffer'"),
                            HasSubstr("shared memory, file /tmp/x"),
                            HasSubstr("/var/db, mapped shared and writable")));
    EXPECT_THAT(explain("monkey").command, HasSubstr("'/tmp/x'"));
}

TEST_F(Reasons, APrivateMappingThatAnotherWritesTo) {
    maps(50,
         "1000-2000 r--p 00000000 fe:01 11 /var/db\n"
         "2000-3000 r-xp 00000000 fe:01 11 /var/db\n"
         "3000-4000 r--p 00000000 fe:01 12 /bin/prog\n");
    EXPECT_THAT(explain("monkey").causes, IsEmpty());
    node_.process(61, "writer", 1);
    maps(61, "9000-a000 rw-s 00000000 fe:01 11 /var/db\n");
    node_.process(62, "reader", 1);
    maps(62, "9000-a000 r--s 00000000 fe:01 11 /var/db\n");
    EXPECT_THAT(explain("monkey").causes,
                ElementsAre(AllOf(HasSubstr("/var/db, which 61 (writer) maps shared"))));
    // Protected against writing now, of a descriptor that may write.
    maps(61, "9000-a000 r--s 00000000 fe:01 11 /var/db\n");
    node_.put("proc/61/smaps",
              "9000-a000 r--s 00000000 fe:01 11 /var/db\nVmFlags: rd sh mr mw me ms \n");
    EXPECT_THAT(explain("monkey").causes, ElementsAre(HasSubstr("61 (writer)")));
}

TEST_F(Reasons, ASharedViewOfAFileThatIsOpenForWriting) {
    maps(50,
         "1000-2000 r--s 00000000 fe:01 11 /var/db\n"
         "3000-4000 r--s 00001000 fe:01 11 /var/db\n"
         "5000-6000 r--p 00000000 fe:01 12 /var/log\n"
         "7000-8000 r--s 00000000 fe:01 13 /usr/cache\n");
    node_.process(61, "writer", 1);
    open(61, 3, "0100001", "23", "11");
    open(61, 4, "0100000", "23", "13");    // for reading
    open(61, 5, "02", "22", "13");         // of another device
    open(61, 6, "012000000", "23", "13");  // O_PATH
    node_.process(62, "logger", 1);
    open(62, 1, "0102002", "23", "11");
    open(62, 2, "0100001", "23", "12");  // of a private mapping
    auto explanation = explain("monkey");
    EXPECT_THAT(explanation.causes,
                ElementsAre("1000-2000 (4 KiB) is /var/db, mapped shared, which is open for "
                            "writing in 61 (writer) as descriptor 3, 62 (logger) as descriptor 1"));
    EXPECT_THAT(explanation.remedy, AllOf(HasSubstr("closed it"), Not(HasSubstr("shmdt"))));
    EXPECT_THAT(explanation.command, HasSubstr("fuser -v '/var/db'"));
    // Who also maps it so has to do both.
    maps(61, "9000-a000 rw-s 00000000 fe:01 11 /var/db\n");
    explanation = explain("monkey");
    EXPECT_THAT(explanation.causes,
                ElementsAre(AllOf(HasSubstr("which 61 (writer) maps shared and writable"),
                                  HasSubstr("it is open for writing in 61 (writer)"))));
    EXPECT_THAT(explanation.remedy, AllOf(HasSubstr("munmap"), HasSubstr("closed it")));
}

TEST_F(Reasons, AFileThatItWritesToItself) {
    maps(50, "1000-2000 r--s 00000000 fe:01 11 /var/db (deleted)\n");
    open(50, 7, "0100002", "23", "11");
    EXPECT_THAT(explain("monkey").causes,
                ElementsAre(HasSubstr("/var/db, mapped shared, which is open for writing in itself "
                                      "as descriptor 7")));
    EXPECT_THAT(explain("monkey").command, IsEmpty());
}

TEST_F(Reasons, AWriterOnAMountThatIsNotSeenIsKnownByThePath) {
    maps(50, "1000-2000 r--s 00000000 fe:01 11 /var/db\n");
    node_.process(61, "writer", 1);
    open(61, 3, "0100001", "99", "11");
    node_.link("proc/61/fd/3", "/var/db");
    open(61, 4, "02", "15", "11");
    node_.link("proc/61/fd/4", "socket:[11]");
    EXPECT_THAT(explain("monkey").causes,
                ElementsAre(AllOf(HasSubstr("61 (writer) as descriptor 3"),
                                  Not(HasSubstr("descriptor 4")))));
}

TEST_F(Reasons, AWriterThatCannotBeSeenIsSuspected) {
    maps(50,
         "1000-2000 r--p 00000000 fe:01 12 /bin/prog\n"
         "2000-3000 r--s 00000000 fe:01 11 /var/db\n");
    EXPECT_THAT(explain("monkey").causes,
                ElementsAre(AllOf(HasSubstr("/var/db"), HasSubstr("cannot be seen"))));
    EXPECT_THAT(explain("monkey").remedy, HasSubstr("closed it"));
    EXPECT_THAT(explain("monkey").command, HasSubstr("fuser -v '/var/db'"));
}

TEST_F(Reasons, MappingsWithAWordOfTheirOwnAreNoMonkeys) {
    maps(50,
         "1000-2000 rw-s 00000000 00:0e 20 /secretmem (deleted)\n"
         "2000-3000 rw-s 00000000 00:10 21 anon_inode:[io_uring]\n"
         "3000-4000 rw-s 00000000 00:13 22 /[aio] (deleted)\n"
         "4000-5000 rw-s 00000000 00:10 23 anon_inode:[perf_event]\n"
         "5000-6000 rw-s 00000000 00:06 24 /dev/mem\n"
         "200000-400000 rw-p 00000000 00:0f 25 /anon_hugepage (deleted)\n");
    EXPECT_THAT(explain("monkey").causes, IsEmpty());
    EXPECT_THAT(explain("memfd_secret").causes, ElementsAre(HasSubstr("1000-2000")));
    EXPECT_THAT(explain("io_uring").causes, ElementsAre(HasSubstr("2000-3000")));
    EXPECT_THAT(explain("aio").causes, ElementsAre(HasSubstr("3000-4000")));
    EXPECT_THAT(explain("perf_mmap").causes, ElementsAre(HasSubstr("4000-5000")));
    EXPECT_THAT(explain("mmap_dev").causes, ElementsAre(HasSubstr("5000-6000 (4 KiB) /dev/mem")));
    EXPECT_THAT(explain("hugetlb").causes, ElementsAre(HasSubstr("200000-400000 (2 MiB)")));
}

TEST_F(Reasons, LockedMemory) {
    node_.put("proc/50/smaps",
              "1000-3000 rw-p 00000000 00:00 0 [heap]\nVmFlags: rd wr mr mw me lo ac \n"
              "4000-5000 rw-p 00000000 00:00 0 \nVmFlags: rd wr mr mw me ac \n");
    EXPECT_THAT(explain("mem_lock").causes, ElementsAre("1000-3000 (8 KiB) [heap]"));
    node_.put("proc/50/smaps", "");
    EXPECT_THAT(explain("mem_lock").causes, ElementsAre(HasSubstr("MCL_FUTURE")));
    node_.process(50, "prog", 1, "VmLck:\t       8 kB\n");
    EXPECT_THAT(explain("mem_lock").causes, ElementsAre("8 kB are locked"));
}

TEST_F(Reasons, MemoryWithAProtectionKey) {
    node_.put("proc/50/smaps",
              "1000-2000 rw-p 00000000 00:00 0 \nProtectionKey:         1\n"
              "2000-3000 --xp 00000000 fe:01 11 /lib/code\nProtectionKey:         2\n"
              "3000-4000 rw-p 00000000 00:00 0 [heap]\nProtectionKey:         0\n");
    EXPECT_THAT(
        explain("pkey").causes,
        ElementsAre("1000-2000 (4 KiB) without a file has key 1",
                    "2000-3000 (4 KiB) /lib/code has key 2, for it is only to be executed"));
    EXPECT_THAT(explain("pkey").remedy, HasSubstr("pkey_free"));
    EXPECT_THAT(explain("pkey").command, HasSubstr("nopku"));
    node_.put("proc/50/smaps", "");
    EXPECT_THAT(explain("pkey").causes, ElementsAre(HasSubstr("none of its mappings")));
}

TEST_F(Reasons, Threads) {
    node_.put("proc/50/task/51/comm", "worker\n");
    node_.put("proc/50/task/52/comm", "logger\n");
    EXPECT_THAT(explain("clone_vm").causes,
                ElementsAre("thread 51 (worker)", "thread 52 (logger)"));
    for (int tid = 53; tid < 80; tid++) {
        node_.put("proc/50/task/" + std::to_string(tid) + "/comm", "more\n");
    }
    EXPECT_EQ(explain("clone_vm").causes.size(), 9U);
    EXPECT_EQ(explain("clone_vm").causes.back(), "and 21 more");
}

TEST_F(Reasons, SchedulingPolicy) {
    node_.put(
        "proc/50/task/50/stat",
        "50 (a) b) S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 -31 0 1 0 100 4096000 300 1 1 1 0 0 0 0 0 0 "
        "0 0 0 0 17 0 30 1 0 0\n");
    EXPECT_THAT(explain("rt_sched").causes,
                ElementsAre("its policy is SCHED_FIFO, its priority 30"));
    EXPECT_EQ(explain("rt_sched").command, "chrt --other --pid 0 50");
}

TEST_F(Reasons, SeccompAndWhereItCameFrom) {
    node_.process(40, "runc", 1, "Seccomp:\t0\n");
    node_.process(41, "sh", 40, "Seccomp:\t2\nSeccomp_filters:\t1\n");
    node_.process(50, "prog", 41, "Seccomp:\t2\nSeccomp_filters:\t3\n");
    EXPECT_THAT(explain("seccomp").causes,
                ElementsAre("its calls go through 3 filters", HasSubstr("ancestor 41 (sh)")));
    node_.process(50, "prog", 40, "Seccomp:\t1\n");
    EXPECT_THAT(explain("seccomp").causes, ElementsAre(HasSubstr("strict mode")));
}

TEST_F(Reasons, ANameOfAFileIsOneWordOfTheCommand) {
    EXPECT_EQ(quoted("a'b"), R"('a'\''b')");
    maps(50, "1000-2000 rw-s 00000000 fe:01 7    /home/x'; reboot; '\n");
    EXPECT_THAT(explain("monkey").command, HasSubstr(R"( '/home/x'\''; reboot; '\''' )"));
    maps(50, "1000-2000 rw-s 00000000 fe:01 7    /home/x\x1b[2J\n");
    EXPECT_EQ(explain("monkey").command, "");
}

TEST_F(Reasons, TheTracerIsNamed) {
    node_.process(70, "gdb", 1);
    node_.process(50, "prog", 1, "TracerPid:\t70\n");
    EXPECT_THAT(explain("ptrace").causes, ElementsAre("process 70 (gdb) traces it"));
    EXPECT_EQ(explain("ptrace").command, "kill 70    # ends gdb");
}

TEST_F(Reasons, DescriptorsAreNumbered) {
    node_.link("proc/50/fd/5", "anon_inode:[io_uring]");
    node_.link("proc/50/fd/6", "anon_inode:[userfaultfd]");
    node_.link("proc/50/fd/7", "/etc/passwd");
    EXPECT_THAT(explain("io_uring").causes, ElementsAre("descriptor 5 is an io_uring"));
    EXPECT_THAT(explain("userfaultfd").causes, ElementsAre("descriptor 6 is a userfaultfd"));
}

TEST_F(Reasons, WhoCountsAnotherIsNamed) {
    node_.process(71, "perf", 1);
    node_.link("proc/71/fd/4", "anon_inode:[perf_event]");
    EXPECT_THAT(explain("perf_mmap").causes,
                ElementsAre("of 71 (perf), descriptor 4 is a performance event"));
    EXPECT_THAT(explain("perf_mmap").command, HasSubstr("kill -INT 71 "));
    node_.link("proc/50/fd/5", "anon_inode:[perf_event]");
    EXPECT_THAT(explain("perf_mmap").causes, ElementsAre("descriptor 5 is a performance event"));
}

TEST_F(Reasons, EveryWordHasAMeaningAndARemedy) {
    for (const std::string_view word : known_reasons()) {
        const auto finding = explain_reason(word, Subject(50, node_.places()));
        EXPECT_FALSE(finding.meaning.empty()) << word;
        EXPECT_FALSE(finding.explanation.remedy.empty()) << word;
        EXPECT_FALSE(finding.hidden) << word;
    }
    EXPECT_THAT(explain_reason("news", Subject(50, node_.places())).meaning,
                HasSubstr("does not know"));
}

TEST_F(Reasons, WhatCannotBeReadIsSaid) {
    std::filesystem::remove(node_.path("proc/50/maps"));
    EXPECT_TRUE(explain_reason("monkey", Subject(50, node_.places())).hidden);
    EXPECT_TRUE(explain_reason("pkey", Subject(50, node_.places())).hidden);
    EXPECT_FALSE(explain_reason("clone_vm", Subject(50, node_.places())).hidden);
}

}  // namespace
}  // namespace mosrig
