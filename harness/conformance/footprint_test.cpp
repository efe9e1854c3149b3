// SPDX-License-Identifier: MIT
#include "harness/conformance/footprint.h"

#include <gtest/gtest.h>

#include <tuple>

namespace mosrig {
namespace {

TaskStat task(std::int64_t pid, const std::string& name, std::int64_t parent) {
    return {pid, name, 'S', parent, 0, 0};
}

Footprint sample() {
    return parse_footprint(
        {"MemTotal:  2000000 kB\nMemFree:   100000 kB\nSUnreclaim:   9000 kB\n",
         "sockets: used 41\nTCP: inuse 12 orphan 0\n",
         "  pagesets\n    cpu: 0\n      count: 10\n      high:  60\n    cpu: 1\n      count: 5\n",
         "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize>\n"
         "sock_inode_cache     40     64   1024   32    8 : tunables    0    0    0\n"
         "filp               900   1024    256   32    2 : tunables    0    0    0\n"
         "ksm_rmap_item      480    512     64   64    1 : tunables    0    0    0\n"
         "vmap_area          110    112     72   56    1 : tunables    0    0    0\n"
         "buffer_head         78    117    104   39    1 : tunables    0    0    0\n",
         "moves_out 7\nlinks_lost 9\nbytes_in 1\nlinks 4\nbodies 2\nstates 30\n"},
        {task(1, "init", 0), task(2, "kthreadd", 0), task(9, "kworker/0:0", 2), task(50, "omd", 1),
         task(51, "omd", 50), task(52, "omd", 50)});
}

TEST(Footprint, LeavesOutWhatTheKernelDoesAsItLikes) {
    const Footprint print = sample();
    EXPECT_EQ(print.free_kib, 100000 + 15 * 4) << "pages that the CPUs keep at hand are free";
    EXPECT_EQ(print.slab_kib, 9000);
    EXPECT_EQ(print.caches_kib.at("sock_inode_cache"), 64);
    EXPECT_EQ(print.caches_kib.size(), 5);
    EXPECT_EQ(print.objects.at("sock_inode_cache"), 40) << "not those that are free";
    EXPECT_EQ(print.objects.size(), 2) << "neither KSM's nor a file system's nor vmalloc's";
    EXPECT_EQ(print.sockets, 41);
    EXPECT_EQ(print.count_processes(), 4) << "neither kthreadd nor its workers";
    EXPECT_EQ(print.processes.at("omd"), 3);
    EXPECT_EQ(print.held.at("links"), 4) << "not those that were lost";
    EXPECT_EQ(print.held.at("bodies"), 2);
}

TEST(Footprint, OneOfEachMoreIsALeak) {
    const Footprint before = sample();
    EXPECT_EQ(leaks(before, before, {}), "");
    Footprint now = before;
    ++now.processes["remote(412)"];
    EXPECT_EQ(leaks(before, now, {}), "more processes (remote(412)) ");
    --now.processes["omd"];
    EXPECT_EQ(leaks(before, now, {}), "more processes (remote(412)) ") << "in place of another";
    now = before;
    ++now.held["bodies"];
    EXPECT_EQ(leaks(before, now, {}), "1 bodies more ");
    now = before;
    ++now.sockets;
    EXPECT_EQ(leaks(before, now, {}), "1 sockets more ");
}

TEST(Footprint, WhatBreathesMayDoSo) {
    const Footprint before = sample();
    const Slack slack{1040, 260};
    Footprint now = before;
    now.slab_kib += 260;
    now.free_kib -= 1040;
    EXPECT_EQ(leaks(before, now, slack), "");
    ++now.slab_kib;
    --now.free_kib;
    now.caches_kib["filp"] += 3;
    now.caches_kib["sock_inode_cache"] += 8;
    now.caches_kib["om_link"] = 250;
    EXPECT_EQ(leaks(before, now, slack),
              "261 KiB of slab more (om_link 250, sock_inode_cache 8) 1041 KiB of memory less ");
}

TEST(Footprint, ASmallObjectForEachMoveIsALeak) {
    const Footprint before = sample();
    const Slack slack{2048, 256, 500};
    Footprint now = before;
    now.objects["filp"] += 499;
    now.objects["kmalloc-8"] = 499;
    EXPECT_EQ(leaks(before, now, slack), "");
    ++now.objects["filp"];
    EXPECT_EQ(leaks(before, now, slack), "objects more (filp 500) ");
    EXPECT_EQ(leaks(before, now, {}), "") << "only who has counted its moves asks for that";
    ++now.objects["kmalloc-8"];
    now.objects["sock_inode_cache"] -= 30;
    EXPECT_EQ(leaks(before, now, slack), "objects more (kmalloc-8 500, filp 500) ");
    now = before;
    now.holds_back = true;
    now.objects["filp"] += 500;
    Footprint held_back = before;
    held_back.holds_back = true;
    EXPECT_EQ(leaks(held_back, now, slack), "") << "what was freed is not given back yet";
}

TEST(Footprint, AnObjectLostAtEachFailureIsALeakAndAFewOfOneCacheAreNone) {
    const Footprint before = sample();
    Footprint now = before;
    now.objects["filp"] += 56;
    EXPECT_EQ(leaks(before, now, slack_for_failures(57)), "");
    EXPECT_EQ(leaks(before, now, slack_for_failures(56)), "objects more (filp 56) ");
    now.objects["filp"] = before.objects.at("filp") + 12;
    EXPECT_EQ(leaks(before, now, slack_for_failures(6)), "") << "so few two looks differ by";
    now.objects["filp"] += 60;
    EXPECT_EQ(leaks(before, now, slack_for_failures(6)), "objects more (filp 72) ");
    now = before;
    now.slab_kib += 256;
    EXPECT_EQ(leaks(before, now, slack_for_failures(200)), "") << "of KiB it is as ever";
}

TEST(Footprint, WhatEachProcessOrEverySecondMoveLosesIsALeak) {
    const Footprint before = sample();
    for (const auto& [copies, times, objects] :
         std::vector<std::tuple<int, int, int>>{{200, 3, 200}, {10, 20, 200}, {1, 500, 500}}) {
        const Slack slack = slack_for_moves(copies, times);
        Footprint now = before;
        now.objects["filp"] += objects - 1;
        EXPECT_EQ(leaks(before, now, slack), "") << copies;
        ++now.objects["filp"];
        EXPECT_NE(leaks(before, now, slack), "") << copies;
        now = before;
        now.free_kib -= 4L * objects;
        EXPECT_NE(leaks(before, now, slack), "") << copies << ", a page each";
        now = before;
        now.slab_kib += objects;
        EXPECT_NE(leaks(before, now, slack), "") << copies << ", a KiB of slab each";
    }
}

TEST(Footprint, WhatACpuHasAtHandNowAndThenIsNotGivenOut) {
    const Footprint before = sample();
    const Slack slack = slack_for_failures(56);
    Footprint now = before;
    now.objects["filp"] += 100;
    now.objects["kmalloc-8"] = 70;
    Footprint later = before;
    later.objects["sock_inode_cache"] += 60;
    later.objects["kmalloc-8"] = 500;
    EXPECT_NE(leaks(before, now, slack), "");
    EXPECT_NE(leaks(before, later, slack), "");
    EXPECT_TRUE(later.keep_fewest(now));
    EXPECT_EQ(leaks(before, later, slack), "objects more (kmalloc-8 70) ") << "that is lost";
    later.objects.erase("kmalloc-8");
    EXPECT_TRUE(later.keep_fewest(now));
    EXPECT_EQ(leaks(before, later, slack), "") << "nor does it bring back what is gone";
    now.objects["filp"] = 1;
    --now.sockets;
    EXPECT_FALSE(later.keep_fewest(now)) << "a link that is being replaced has less";
    now.sockets = later.sockets;
    ++now.processes["remote(7)"];
    EXPECT_FALSE(later.keep_fewest(now));
    EXPECT_EQ(later.objects.at("filp"), before.objects.at("filp"));
}

TEST(Footprint, AKernelThatHoldsBackWhatWasFreedBreathesMore) {
    Footprint before = sample();
    before.holds_back = true;
    Footprint now = before;
    now.slab_kib += 16384;
    now.free_kib -= 16384;
    EXPECT_EQ(leaks(before, now, {}), "");
    EXPECT_EQ(leaks(before, now, {32768, 32768}), "") << "nor is a wider slack made narrower";
    ++now.slab_kib;
    --now.free_kib;
    EXPECT_EQ(leaks(before, now, {}), "16385 KiB of slab more 16385 KiB of memory less ");
}

TEST(Footprint, LessOfAnythingIsNone) {
    const Footprint before = sample();
    Footprint now = before;
    now.processes.erase("omd");
    now.sockets -= 4;
    now.slab_kib -= 5000;
    now.free_kib += 50000;
    EXPECT_EQ(leaks(before, now, {}), "");
    EXPECT_EQ(leaks(now, before, {}),
              "more processes (omd) 4 sockets more 5000 KiB of slab more "
              "50000 KiB of memory less ");
}

}  // namespace
}  // namespace mosrig
