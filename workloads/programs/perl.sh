#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
command -v perl >/dev/null || { echo SKIP no perl on this node; exit 0; }
perl -e 'my %h; for my $i (1 .. 2400000) { $h{$i % 4001} += $i * 3 }
         print join(",", map { $h{$_} } sort { $a <=> $b } keys %h), "\n"' | md5sum
perl -e 'my $s = "a"; for (1 .. 1600000) { $s .= chr(97 + ($_ * 7) % 26) }
         my $n = () = $s =~ /h.?o/g; print "$n\n"; print length(reverse($s)), "\n"'
