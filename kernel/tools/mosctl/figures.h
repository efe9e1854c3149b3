// SPDX-License-Identifier: GPL-2.0-only
// Commands of mosctl that tell something. Each returns an exit status and has said why if it is
// not 0.
#pragma once

#include "common/hpc.h"
#include "common/program.h"

namespace mosrig {

// "This is openMosix #N", or which node an id, address or name means.
int whois(const Hpc& hpc, const Words& words);

// getload, getspeed, getutil (percent), getmem, getfree (both KiB) of this or another node.
int get_figure(const Hpc& hpc, const Words& words);

// In words. exit_failed if the node is not up.
int get_status(const Hpc& hpc, const Words& words);

// yes and exit_done, or no and exit_failed.
int is_up(const Hpc& hpc, const Words& words);

int get_tune(const Hpc& hpc, const Words& words);
int get_yard(const Hpc& hpc, const Words& words);
int get_decay(const Hpc& hpc, const Words& words);

}  // namespace mosrig
