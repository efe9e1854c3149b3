// SPDX-License-Identifier: GPL-2.0-only
// Commands of mosctl that change the node. Each returns an exit status and has said why if it is
// not 0.
#pragma once

#include "common/hpc.h"
#include "common/program.h"

namespace mosrig {

// Whether it is "stay", "nostay", "-stay" or another of those pairs.
bool is_switch(const std::string& word);

// Sets or clears what the word names, and says if it was so already.
int flip(const Hpc& hpc, const std::string& word);

// Sends all guests away and blocks new ones; comes back when that is done or interrupted.
int expel(const Hpc& hpc, const Words& words);

// Brings all own processes home and keeps them; likewise.
int bring(const Hpc& hpc, const Words& words);

int set_speed(const Hpc& hpc, const Words& words);
int set_yard(const Hpc& hpc, const Words& words);
int set_decay(const Hpc& hpc, const Words& words);

}  // namespace mosrig
