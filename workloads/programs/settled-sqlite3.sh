#!/bin/sh
# SPDX-License-Identifier: MIT
set -eu
command -v sqlite3 >/dev/null || { echo SKIP no sqlite3 on this node; exit 0; }
cd /tmp
rm -f mosrig-settled.db
exec sqlite3 mosrig-settled.db "
    create table t (a integer primary key, b integer, c text);
    with recursive n(x) as (select 1 union all select x + 1 from n where x < 60000)
        insert into t select x, x * 7919 % 10007, hex(x * x) from n;
    create index i on t (b);
    update t set c = c || b where a % 3 = 0;
    delete from t where a % 7 = 0;
    select count(*), sum(b), sum(length(c)) from t;
    select b, count(*) from t group by b order by b limit 50;
    pragma integrity_check;
    drop table t;
    vacuum;"
