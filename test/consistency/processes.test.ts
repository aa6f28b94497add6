import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { Child } from '../support/child.js'
import { tempFolder } from '../support/temp-folder.js'

// Several processes on one database: one keeps the mirror, the others answer from SQLite or keep a copy in
// memory, whoever writes is seen by all, and when the keeper dies another one takes its place.

const sales = 20_000

interface Totals {
  readonly total: number
  readonly n: number
}

interface Status {
  readonly state: string
  readonly path: string | null
  readonly reason: string | null
  readonly tables: readonly string[]
}

/** A process that does what it is told. */
class Member {
  readonly #child: Child

  private constructor(child: Child) {
    this.#child = child
  }

  static async open(path: string, config: object = {}): Promise<Member> {
    const child = new Child('member.mjs', [path, JSON.stringify(config)])
    expect(await child.nextLine()).toBe('"open"')
    return new Member(child)
  }

  async tell<T>(order: string): Promise<T> {
    this.#child.process.stdin?.write(`${order}\n`)
    return JSON.parse(await this.#child.nextLine()) as T
  }

  /** Tells it again and again until the answer is as wanted. */
  async tellUntil<T>(order: string, isWanted: (answer: T) => boolean): Promise<T> {
    const deadline = Date.now() + 30_000
    for (;;) {
      const answer = await this.tell<T>(order)
      if (isWanted(answer) || Date.now() > deadline) {
        expect(answer).toSatisfy(isWanted)
        return answer
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async kill(): Promise<void> {
    this.#child.process.kill('SIGKILL')
    await this.#child.ended()
  }

  async leave(): Promise<void> {
    this.#child.process.stdin?.write('leave\n')
    expect((await this.#child.ended()).code, this.#child.errors).toBe(0)
  }
}

const isMirrored = (answer: Partial<Totals>) => answer.n !== undefined

function createDatabase(): { readonly path: string; readonly database: Database.Database } {
  const path = join(tempFolder(), 'shared.db')
  const database = new Database(path)
  database.pragma('journal_mode = wal')
  database.exec(`create table sale(id integer primary key, amount real not null);
    insert into sale(amount) with recursive s(v) as (select 1 union all select v + 1 from s where v < ${sales})
      select v / 8.0 from s`)
  return { path, database }
}

/** A process that keeps the mirror, with `sale` in it. */
async function openKeeper(path: string): Promise<Member> {
  const keeper = await Member.open(path)
  await keeper.tellUntil('fromDuckDb', isMirrored)
  return keeper
}

async function shell(path: string, sql: string): Promise<void> {
  const child = new Child('shell.mjs', ['sqlite', path, sql])
  expect(await child.nextLine()).toBe('done')
}

function consumers(database: Database.Database): string[] {
  return database.prepare('select id from _htap_consumer').pluck().all() as string[]
}

describe('beside the process that keeps the mirror', () => {
  it('another one should say so, answer from SQLite, and be seen when it writes', async () => {
    const { path } = createDatabase()
    const keeper = await openKeeper(path)
    const second = await Member.open(path)
    expect(await second.tell<Totals>('totals')).toMatchObject({ n: sales })
    const status = await second.tellUntil<Status>('status', ({ state }) => state !== 'opening')
    expect(status).toMatchObject({ state: 'standby', path: null, reason: 'locked' })
    expect(await second.tell('fromDuckDb')).toEqual({
      error: 'route-impossible',
      reason: expect.any(String),
    })
    expect(await second.tell('verify')).toEqual({ error: 'mirror-unavailable', reason: null })
    for (let written = 1; written <= 5; written++) {
      await second.tell('write')
      expect(await keeper.tell<Totals>('fromDuckDb')).toMatchObject({ n: sales + written })
      expect(await second.tell<Totals>('totals')).toMatchObject({ n: sales + written })
    }
    expect(await keeper.tell('verify')).toMatchObject({ equal: true })
  })

  it('another one should be able to migrate', async () => {
    const { path } = createDatabase()
    const keeper = await openKeeper(path)
    const migrator = await Member.open(path, { sync: false })
    expect(await migrator.tell('migrate')).toBe(1)
    await migrator.leave()
    await keeper.tell('write')
    await keeper.tellUntil<Partial<Totals>>('fromDuckDb', ({ n }) => n === sales + 1)
    expect(await keeper.tell('verify')).toMatchObject({ equal: true, tables: [{ table: 'sale' }] })
  })

  it('a shell should be seen in all that it does', async () => {
    const { path } = createDatabase()
    const keeper = await openKeeper(path)
    await shell(
      path,
      `insert or replace into sale(id, amount) values (1, 5), (${sales + 1}, 6); delete from sale where id = 2;
       begin; delete from sale; rollback; update sale set id = -1 where id = 3`,
    )
    expect(await keeper.tell<Totals>('fromDuckDb')).toMatchObject({ n: sales })
    await shell(path, 'alter table sale add column note text default 7; vacuum')
    await keeper.tellUntil('fromDuckDb', isMirrored)
    expect(await keeper.tell('verify')).toMatchObject({ equal: true, tables: [{ table: 'sale' }] })
  })

  it('another one should keep a copy in memory if it is told to', async () => {
    const { path, database } = createDatabase()
    const keeper = await openKeeper(path)
    const second = await Member.open(path, { olap: { whenLocked: 'memory' } })
    await second.tellUntil('fromDuckDb', isMirrored)
    expect(await second.tell('status')).toMatchObject({
      state: 'ready',
      path: ':memory:',
      reason: null,
    })
    for (let written = 1; written <= 5; written++) {
      await keeper.tell('write')
      expect(await second.tell<Totals>('fromDuckDb')).toMatchObject({ n: sales + written })
    }
    expect(await second.tell('verify')).toMatchObject({ equal: true })
    // Each has its own place in the log, and takes it along.
    expect(consumers(database)).toHaveLength(2)
    await second.leave()
    expect(consumers(database)).toHaveLength(1)
    expect(await keeper.tell('verify')).toMatchObject({ equal: true })
  })
})

describe('when the keeper of the mirror', () => {
  it('dies, another process should take its place, without a restart and without being asked', async () => {
    const { path } = createDatabase()
    const keeper = await openKeeper(path)
    const second = await Member.open(path)
    await second.tellUntil<Status>('status', ({ state }) => state === 'standby')
    await keeper.tell('write')
    await keeper.kill()
    const status = await second.tellUntil<Status>('status', ({ state }) => state === 'ready')
    expect(status.path).toBe(`${path}-htap.duckdb`)
    expect(status.tables).toEqual(['sale live'])
    expect(await second.tell<Totals>('fromDuckDb')).toMatchObject({ n: sales + 1 })
    expect(await second.tell('verify')).toMatchObject({ equal: true })
  })

  it('is another program of DuckDB, SQLite should answer until that one ends', async () => {
    const { path } = createDatabase()
    await (await openKeeper(path)).leave()
    const holder = new Child('shell.mjs', ['duckdb', `${path}-htap.duckdb`])
    expect(await holder.nextLine()).toBe('held')
    const member = await Member.open(path)
    expect(await member.tell<Totals>('totals')).toMatchObject({ n: sales })
    const status = await member.tellUntil<Status>('status', ({ state }) => state !== 'opening')
    expect(status).toMatchObject({ state: 'standby', reason: 'locked' })
    holder.process.kill('SIGKILL')
    await member.tellUntil<Status>('status', ({ state }) => state === 'ready')
    await member.tellUntil('fromDuckDb', isMirrored)
    expect(await member.tell('verify')).toMatchObject({ equal: true })
  })
})

describe('a change log of another version of this package', () => {
  it('should be left alone when that one is newer', async () => {
    const { path, database } = createDatabase()
    await (await openKeeper(path)).leave()
    database.exec("update _htap_meta set value = 99 where key = 'layout'")
    const log = database.prepare('select * from _htap_consumer').all()
    const countRows = database.prepare<[], number>('select count(*) from _htap_log').pluck()
    const rows = countRows.get() ?? 0
    const member = await Member.open(path)
    expect(await member.tell<Totals>('totals')).toMatchObject({ n: sales })
    const status = await member.tellUntil<Status>('status', ({ state }) => state !== 'opening')
    expect(status).toMatchObject({ state: 'failed', reason: 'newer-log' })
    await member.tell('write')
    expect(await member.tell<Totals>('totals')).toMatchObject({ n: sales + 1 })
    await member.leave()
    expect(database.prepare('select * from _htap_consumer').all()).toEqual(log)
    expect(countRows.get()).toBe(rows + 1)
  })

  it('should be begun anew when that one is older', async () => {
    const { path, database } = createDatabase()
    await (await openKeeper(path)).leave()
    const triggers = database
      .prepare("select name from sqlite_schema where type = 'trigger'")
      .pluck()
      .all()
    database.exec(`update _htap_meta set value = 0 where key = 'layout';
      ${triggers.map((name) => `drop trigger ${name};`).join('')}
      drop table _htap_log;
      create table _htap_log(seq integer primary key, table_name text, row_json text);
      create trigger _htap_old after insert on sale begin
        insert into _htap_log(table_name, row_json) values ('sale', json_array(new.id)); end`)
    const member = await openKeeper(path)
    await member.tell('write')
    expect(await member.tell<Totals>('fromDuckDb')).toMatchObject({ n: sales + 1 })
    expect(await member.tell('verify')).toMatchObject({ equal: true })
    await member.leave()
    expect(
      database.prepare("select 1 from sqlite_schema where name = '_htap_old'").get(),
    ).toBeUndefined()
  })
})
