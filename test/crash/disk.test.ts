import { execFileSync, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Child } from '../support/child.js'
import { repetitions } from '../support/deep.js'
import { tempFolder } from '../support/temp-folder.js'

// A disk that is full, that may not be written to, or that a process left in the middle of a checkpoint.
// HTAP_CHECKPOINT_KILLS sets how often.
const kills = repetitions('HTAP_CHECKPOINT_KILLS', 3)
const script = fileURLToPath(new URL('../children/hostile-disk.mjs', import.meta.url))
const isRoot = process.getuid?.() === 0
/** A system user without rights. */
const nobody = 65_534
const sales = 50_000

/** A database large enough for DuckDB to win. */
function fillDatabase(folder: string): string {
  const path = join(folder, 'shop.db')
  const database = new Database(path)
  database.pragma('journal_mode = wal')
  // Zeros, which take no room in SQLite, and eight bytes each in DuckDB's log.
  const zeros = Array.from({ length: 8 }, (_, index) => `z${index} int not null default 0`)
  database.exec(`create table sale(id integer primary key, amount real not null, ${zeros.join(', ')});
    insert into sale(amount) with recursive s(v) as (select 1 union all select v + 1 from s where v < ${sales})
      select v / 8.0 from s`)
  database.close()
  return path
}

/** What the child says. */
interface Seen {
  readonly first: Totals
  readonly second: Totals
  readonly state: string
  readonly reason: string | null
  readonly message: string | null
  readonly healed?: Totals
  readonly equal?: boolean
  readonly closed: boolean
}

interface Totals {
  readonly total: number
  readonly n: number
}

/** The child's lines, told apart by their first key; `free` is sent after the line `second`. */
async function run(
  command: string,
  args: readonly string[],
  options: SpawnOptions & { readonly free?: () => void } = {},
): Promise<Seen> {
  const child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  let errors = ''
  child.stderr!.on('data', (data: Buffer) => {
    errors += data.toString()
  })
  child.stdout!.on('data', (data: Buffer) => {
    output += data.toString()
    if (output.includes('"second"') && child.stdin!.writable) {
      options.free?.()
      child.stdin!.end(options.free === undefined ? 'end\n' : 'free\n')
    }
  })
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('exit', (...exit) => resolve(exit))
  })
  expect({ code, signal }, errors).toEqual({ code: 0, signal: null })
  return Object.assign(
    {},
    ...output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object),
  )
}

/** What SQLite has to answer all the while. */
function expectAnswers(seen: Seen): void {
  expect(seen.first.n).toBe(sales)
  expect(seen.second).toEqual({
    n: sales + 1,
    total: seen.first.total + 1.5,
  })
  expect(seen.closed).toBe(true)
}

describe('a full disk', () => {
  const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0

  it.skipIf(!canMount)(
    'should leave SQLite answering, and the mirror whole when there is room',
    async () => {
      const folder = tempFolder()
      const disk = join(folder, 'disk')
      mkdirSync(disk)
      const path = fillDatabase(folder)
      const ballast = join(disk, 'ballast')
      const command = `mount -t tmpfs -o size=12m none '${disk}' && exec "$0" "$@"`
      const mirror = join(disk, 'mirror.duckdb')
      const args = [process.execPath, script, path, mirror, ballast, `${11.5 * 1024 * 1024}`]
      const seen = await run('unshare', ['-rm', 'sh', '-c', command, ...args], { free: () => {} })
      expectAnswers(seen)
      expect(seen.message).toMatch(/No space left/)
      expect(seen).toMatchObject({ healed: { n: sales + 1 }, equal: true })
    },
  )

  it('should leave SQLite answering when it is a limit of the process', async () => {
    const folder = tempFolder()
    const path = fillDatabase(folder)
    // In blocks of 512 bytes: the database fits, its mirror does not.
    const bytes = Number(execFileSync('stat', ['-c', '%s', path], { encoding: 'utf8' }))
    const limited = `trap '' XFSZ; ulimit -f ${Math.ceil((bytes * 1.05) / 512)}; exec "$0" "$@"`
    const args = [process.execPath, script, path, join(folder, 'mirror.duckdb')]
    const seen = await run('sh', ['-c', limited, ...args])
    expectAnswers(seen)
    expect(seen.message).toMatch(/File too large/)
    expect(seen).toMatchObject({ reason: 'no-space' })
  })
})

describe('a folder that may not be written to', () => {
  it('should leave SQLite answering, and the mirror be made when it may', async () => {
    const folder = tempFolder()
    const closed = join(folder, 'closed')
    mkdirSync(closed)
    const path = fillDatabase(folder)
    if (isRoot) {
      for (const name of [folder, path]) {
        chownSync(name, nobody, nobody)
      }
    }
    chmodSync(closed, 0o555)
    const seen = await run(process.execPath, [script, path, join(closed, 'mirror.duckdb')], {
      ...(isRoot ? { uid: nobody, gid: nobody } : {}),
      free: () => chmodSync(closed, 0o777),
    })
    expectAnswers(seen)
    expect(seen).toMatchObject({ state: 'failed', reason: 'not-writable' })
    expect(seen).toMatchObject({ healed: { n: sales + 1 }, equal: true })
  })

  it('should do the same when it is not there', async () => {
    const folder = tempFolder()
    const path = fillDatabase(folder)
    const missing = join(folder, 'missing')
    const seen = await run(process.execPath, [script, path, join(missing, 'mirror.duckdb')], {
      free: () => mkdirSync(missing),
    })
    expectAnswers(seen)
    expect(seen).toMatchObject({ state: 'failed', reason: 'not-writable', equal: true })
  })

  it('should do the same when it is a file', async () => {
    const folder = tempFolder()
    const path = fillDatabase(folder)
    const file = join(folder, 'file')
    writeFileSync(file, '')
    const seen = await run(process.execPath, [script, path, join(file, 'mirror.duckdb')], {
      free: () => {
        rmSync(file)
        mkdirSync(file)
      },
    })
    expectAnswers(seen)
    expect(seen).toMatchObject({ state: 'failed', reason: 'not-writable', equal: true })
  })
})

it(`should find the mirror equal after ${kills} kills during a checkpoint`, {
  timeout: 3_600_000,
}, async () => {
  const path = join(tempFolder(), 'checkpoint.db')
  for (let kill = 0; kill <= kills; kill++) {
    const child = new Child('checkpointer.mjs', [path])
    expect(await child.nextLine(), `after kill ${kill}`).toBe('equal')
    for (let round = 0; round <= kill % 3; round++) {
      expect(await child.nextLine()).toBe('checkpoint')
    }
    await new Promise((resolve) => setTimeout(resolve, (kill * 7) % 40))
    child.process.kill('SIGKILL')
    expect((await child.ended()).signal, child.errors).toBe('SIGKILL')
  }
})
