import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import {
  flipBit,
  overwrite,
  randomNumbers,
  setStorageVersion,
  truncate,
} from '../support/damage.js'
import { repetitions } from '../support/deep.js'
import {
  expectHealed,
  type LeftBehind,
  reopen as reopenIn,
  schema,
  tables,
} from '../support/left-behind.js'
import { SyncHarness } from '../support/sync-harness.js'
import { sharedTempFolder, tempFolder } from '../support/temp-folder.js'

// Whatever was done to the file of a mirror while nobody had it open: SQLite answers, the mirror is equal
// again without help, and what could not be used is kept once. HTAP_DAMAGES sets how many random
// damages are tried, HTAP_SEED repeats a run.
const damages = repetitions('HTAP_DAMAGES', 3)
const seed = Number(process.env['HTAP_SEED'] ?? Date.now() % 1_000_000)

const origin = sharedTempFolder()
const reopen = (damage: (left: LeftBehind) => void) => reopenIn(origin, damage)

function kept(path: string): string[] {
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(`${basename(path)}-htap.duckdb.`) && !name.endsWith('.lock'))
    .sort()
}

describe('a mirror that was not closed', () => {
  it('should serve as it was left', async () => {
    const { h, reports } = await reopen(() => undefined)
    const copied: unknown[] = []
    await expectHealed(h)
    expect({ reports, copied }).toEqual({ reports: [], copied: [] })
  })
})

describe('a mirror should heal when', () => {
  it('its file is missing', async () => {
    const { h, reports } = await reopen(({ mirror, wal }) => {
      rmSync(mirror)
      rmSync(wal)
    })
    await expectHealed(h)
    expect(reports).toEqual([])
  })

  it('its file is missing and its write-ahead log is not', async () => {
    const { h } = await reopen(({ mirror }) => rmSync(mirror))
    await expectHealed(h)
  })

  it.each([0, 8192, 0.5, 0.999])('its file is cut off at %d', async (length) => {
    const { h, reports } = await reopen(({ mirror }) => {
      const { size } = statSync(mirror)
      truncate(mirror, Math.floor(length < 1 ? size * length : length))
    })
    await expectHealed(h)
    expect(reports).toMatchObject([{ keptAs: `${h.path}-htap.duckdb.damaged` }])
  })

  it(`bits of its files are turned over or pieces overwritten (seed ${seed})`, {
    timeout: 3_600_000,
  }, async () => {
    const random = randomNumbers(seed)
    for (let damage = 1; damage <= damages; damage++) {
      let what = ''
      const { h } = await reopen((left) => {
        const file = random(2) === 0 ? left.mirror : left.wal
        const offset = random(statSync(file).size)
        what = `${basename(file)} at ${offset}`
        switch (random(4)) {
          case 0:
            what = `zeros in ${what}`
            return overwrite(file, offset, random(8192), () => 0)
          case 1:
            what = `chance in ${what}`
            return overwrite(file, offset, random(8192), () => random(256))
          case 2:
            what = `${what} cut off`
            return truncate(file, offset)
          default:
            return flipBit(file, offset, random(8))
        }
      })
      await expectHealed(h).catch((cause: unknown) => {
        throw new Error(`damage ${damage}: ${what}`, { cause })
      })
      await h.close()
    }
  })

  it.each([51n, 69n])(
    'its file is of storage version %d, which cannot be read',
    async (version) => {
      const { h, reports } = await reopen(({ mirror }) => setStorageVersion(mirror, version))
      await expectHealed(h)
      expect(String(reports[0]?.cause)).toContain(`version number ${version}`)
    },
  )

  it('its file is of an older storage version, which nothing ties to its write-ahead log', async () => {
    const { h, reports } = await reopen(({ mirror, wal }) => {
      setStorageVersion(mirror, 64n)
      rmSync(wal)
    })
    await expectHealed(h)
    expect(String(reports[0]?.cause)).toContain('older form')
  })

  it.each(['text', 'zeros'])('its write-ahead log is nothing but %s', async (what) => {
    const { h } = await reopen(({ wal }) => {
      writeFileSync(wal, what === 'text' ? 'no log at all' : Buffer.alloc(5000))
    })
    await expectHealed(h)
  })

  it('its write-ahead log is that of an earlier state', async () => {
    const { h, reports } = await reopen(({ wal }) => cpSync(wal, `${wal}.early`))
    await expectHealed(h)
    await h.engine.close()
    expect(existsSync(`${h.path}-htap.duckdb.wal`)).toBe(false)
    cpSync(`${h.path}-htap.duckdb.wal.early`, `${h.path}-htap.duckdb.wal`)
    // Were it applied, the late row would be there twice.
    await h.start({ onSetAside: (report) => reports.push(report) })
    await expectHealed(h)
    expect(reports).toHaveLength(1)
  })

  it('its write-ahead log is that of another mirror', async () => {
    const other = await SyncHarness.open('file')
    other.database.exec(schema)
    await other.mirror(...tables)
    await other.restart()
    other.database.exec("insert into u values (77, 'of another')")
    await other.engine.syncNow()
    const { h, reports } = await reopen(({ wal }) => cpSync(`${other.path}-htap.duckdb.wal`, wal))
    await expectHealed(h)
    expect(reports).toHaveLength(1)
  })

  it('a process died while it opened the file, without trying it again', async () => {
    const { h, reports } = await reopen(({ mirror }) => writeFileSync(`${mirror}.opening`, ''))
    await expectHealed(h)
    expect(String(reports[0]?.cause)).toContain('a process ended while it opened')
    expect(kept(h.path)).not.toContain('test.db-htap.duckdb.opening')
  })

  it('our own tables in it make no sense', async () => {
    const { h, reports } = await reopen(() => undefined)
    await expectHealed(h)
    await h.engine.store?.writer.execute(`update _htap_state.mirror_table set definition = '{"a":'`)
    await h.engine.close()
    await h.start({ onSetAside: (report) => reports.push(report) })
    await expectHealed(h)
    expect(reports).toHaveLength(1)
  })
})

describe('a file that could not be used', () => {
  it('should be kept once, with a report', async () => {
    const { h } = await reopen(({ mirror }) => writeFileSync(mirror, 'first'))
    await expectHealed(h)
    await h.engine.close()
    const names = ['damaged', 'damaged.json', 'damaged.wal'].map(
      (it) => `test.db-htap.duckdb.${it}`,
    )
    expect(kept(h.path)).toEqual(names)
    writeFileSync(`${h.path}-htap.duckdb`, 'second')
    await h.start()
    await expectHealed(h)
    await h.engine.close()
    expect(kept(h.path)).toEqual(names.slice(0, 2))
    expect(readFileSync(`${h.path}-htap.duckdb.damaged`, 'utf8')).toBe('second')
    const report = JSON.parse(readFileSync(`${h.path}-htap.duckdb.damaged.json`, 'utf8'))
    expect(report).toMatchObject({ cause: expect.stringContaining('not a valid DuckDB database') })
  })

  it('should not be touched when it is a SQLite database or a folder', async () => {
    const own = join(tempFolder(), 'own.db')
    new Database(own).exec('create table precious(a); insert into precious values (1)').close()
    const folder = tempFolder()
    writeFileSync(join(folder, 'precious.txt'), 'precious')
    const h = await SyncHarness.open('file')
    h.database.exec(schema)
    for (const olapPath of [own, folder]) {
      await h.engine.close()
      await h.start({ olapPath })
      await h.mirror('t')
      expect(h.engine.state).toBe('failed')
      expect(h.engine.failure).toMatchObject({
        message: expect.stringContaining('is not a copy of anything'),
        facts: { reason: 'not-a-mirror' },
      })
    }
    const database = new Database(own)
    expect(database.prepare('select a from precious').pluck().get()).toBe(1)
    database.close()
    expect(readFileSync(join(folder, 'precious.txt'), 'utf8')).toBe('precious')
  })
})
