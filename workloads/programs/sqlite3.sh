#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
command -v sqlite3 >/dev/null || { echo SKIP no sqlite3 on this node; exit 0; }
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
for n in 1 2 3; do
    sqlite3 test.db "
        create table if not exists t (a, b);
        begin;
        with recursive n(x) as (select 1 union all select x + 1 from n where x < 150000)
            insert into t select x * $n, x % 97 from n;
        commit;
        select $n, count(*), sum(a) from t;
        select b, avg(a) from t group by b limit 9;"
done
sqlite3 test.db 'pragma integrity_check'
sqlite3 test.db .dump | md5sum
