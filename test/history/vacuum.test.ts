import { describe, expect, it } from 'vitest'
import { HistoryHarness } from '../support/history-harness.js'

// VACUUM numbers the rows of a table without INTEGER PRIMARY KEY anew, and no trigger tells of it.

async function openWithGaps(): Promise<HistoryHarness> {
  const h = await HistoryHarness.open(
    'create table bare(v, n); create table fixed(id integer primary key, n)',
  )
  h.commit("insert into bare values ('a', 1), ('b', 2), ('c', 3), ('d', 4)")
  h.commit('insert into fixed values (1, 0), (5, 0)')
  h.commit("delete from bare where v in ('a', 'c')")
  await h.keeper.move()
  return h
}

describe('a database that is vacuumed', () => {
  it('should have the history of rows that were numbered anew go on', async () => {
    const h = await openWithGaps()
    const before = h.asOf('bare', h.state.position)
    h.database.exec('vacuum')
    h.commit("update bare set n = 20 where v = 'b'")
    await h.keeper.move()
    h.commit("update bare set n = 40 where v = 'd'; insert into bare values ('e', 5)")
    await h.keeper.move()
    h.expectPresent('bare', 'rowid', 'v, n')
    expect(before.map((row) => row.slice(1))).toEqual([
      ['b', 2n],
      ['d', 4n],
    ])
    expect(h.kinds()).toEqual(['commit', 'commit', 'commit', 'found', 'commit'])
  })

  it('should take what was written around it as one change, of such tables only', async () => {
    const h = await openWithGaps()
    h.commit("update bare set n = 30 where v = 'd'; update fixed set n = 1")
    h.database.exec('vacuum')
    h.commit("delete from bare where v = 'b'; update fixed set n = 2 where id = 5")
    await h.keeper.move()
    h.expectPresent('bare', 'rowid', 'v, n')
    expect(h.story('fixed')).toEqual(['I 1 1 0', 'I 5 5 0', 'U 1 1 1', 'U 5 5 1', 'U 5 5 2'])
  })

  it('should notice each time, whoever has noticed before', async () => {
    const h = await openWithGaps()
    for (const name of ['x', 'y', 'z']) {
      h.commit(
        `insert into bare values ('${name}', 0), ('gap', 0); delete from bare where v = 'gap'`,
      )
      h.database.exec('delete from bare where rowid = (select min(rowid) from bare); vacuum')
      await h.keeper.move()
      h.expectPresent('bare', 'rowid', 'v, n')
      h.commit('update bare set n = n + 1')
      await h.keeper.move()
      h.expectPresent('bare', 'rowid', 'v, n')
    }
  })
})
