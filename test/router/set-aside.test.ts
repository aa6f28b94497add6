import { writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { Kysely } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  HtapDialect,
  type HtapDialectConfig,
  htap,
  type RouteEvent,
  type SetAsideReport,
} from '../../dist/dialect/index.js'
import { openShop, type ShopDB, totals, untilMirrored } from '../support/shop.js'

describe('an application whose mirror is damaged', () => {
  it('should start, answer from SQLite at once, and be told', async () => {
    const first = openShop()
    await untilMirrored(first.db, 'sale')
    const wanted = await totals(first.db).execute()
    const path = first.database.name
    await first.db.destroy()
    writeFileSync(`${path}-htap.duckdb`, 'damaged')
    const events: RouteEvent[] = []
    const reports: SetAsideReport[] = []
    const db = new Kysely<ShopDB>({
      dialect: new HtapDialect({
        database: path,
        onRoute: (event) => events.push(event),
        sync: {
          onSetAside: (report) => {
            reports.push(report)
            throw new Error('what it throws changes nothing')
          },
        },
      }),
    })
    onTestFinished(() => db.destroy())
    expect(await totals(db).execute()).toEqual(wanted)
    expect(events.map((event) => event.engine)).toEqual(['sqlite'])
    await untilMirrored(db, 'sale')
    expect(await totals(db).execute()).toEqual(wanted)
    expect(events.at(-1)?.engine).toBe('duckdb')
    const { setAside, path: copy } = await htap(db).status()
    expect(copy).toBe(`${path}-htap.duckdb`)
    expect(setAside).toMatchObject({ keptAs: `${path}-htap.duckdb.damaged` })
    expect(reports).toEqual([setAside])
  })
})

describe('options of the mirror', () => {
  const refuse = (config: Partial<HtapDialectConfig>) =>
    expect(() => new HtapDialect({ database: ':memory:', ...config })).toThrow(
      expect.objectContaining({ code: 'config-invalid' }),
    )

  it('should be refused when they make no sense', () => {
    refuse({ olap: { whenLocked: 'wait' as 'memory' } })
    refuse({ sync: { logRowsMax: 10 } })
    refuse({ sync: { logRowsMax: 1e9 + 0.5 } })
    refuse({ sync: { onSetAside: 'log' as unknown as () => void } })
  })

  it('should be refused when the copy would take the place of the database', async () => {
    const { database } = openShop({}, 10)
    const path = database.name
    const db = new Kysely<ShopDB>({ dialect: new HtapDialect({ database: path, olap: { path } }) })
    await expect(totals(db).execute()).rejects.toMatchObject({ code: 'config-invalid' })
    await db.destroy()
    const check = new Database(path)
    expect(check.prepare('select count(*) from sale').pluck().get()).toBe(10)
    check.close()
  })
})
