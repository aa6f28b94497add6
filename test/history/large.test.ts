import { expect, it } from 'vitest'
import { HistoryHarness } from '../support/history-harness.js'

// What a large table takes follows its rows, and not their square: that would be minutes here.

const rows = 80_000

it.each([
  ['an INTEGER PRIMARY KEY', '(k integer primary key, v)', 'v'],
  ['a rowid', '(k, v)', 'v'],
  ['a key of texts', '(k text primary key, v) without rowid', "'k' || v"],
  ['a key of numbers', '(k real, l int, v, primary key (k, l)) without rowid', 'v / 2.0, v'],
])(
  'compares a large table with %s with its history',
  { timeout: 20_000 },
  async (_, columns, values) => {
    const h = await HistoryHarness.open(
      `create table t${columns};
     with recursive n(v) as (select 1 union all select v + 1 from n where v < ${rows})
       insert into t select ${values}, v from n`,
    )
    const before = h.versions('t').length
    h.commit('alter table t add column w')
    h.foreign.exec('alter table t drop column v')
    await h.keeper.move()
    expect([before, h.versions('t').length]).toEqual([rows, rows])
    h.commit('create index i on t(w); update t set w = 1')
    await h.keeper.move()
    expect(h.versions('t')).toHaveLength(2 * rows)
  },
)
