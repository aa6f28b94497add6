import { join } from 'node:path'
import { alternate, atMost, computed, median, ratio, us } from './measure.mjs'
import { openEngine } from './open-engine.mjs'
import { createDatabase, orderColumns } from './order-table.mjs'
import { inScratchFolder } from './scratch-folder.mjs'

const wideColumns = `id integer primary key, counter integer, ${Array.from(
  { length: 27 },
  (_, i) => `c${i} integer`,
).join(', ')}, body text`

/** What capture adds to writes: the same rows into a table with triggers and one without. */
export function capture({ quick }) {
  const rounds = quick ? 7 : 15
  return inScratchFolder(async (folder) => {
    const path = join(folder, 'capture.db')
    const database = createDatabase(path)
    for (const name of ['plain', 'captured']) {
      database.exec(`create table ${name} (${orderColumns})`)
      database.exec(`create table ${name}_wide (${wideColumns})`)
    }
    // The triggers stay when the engine goes, and nothing else disturbs the figures.
    const { engine, copy } = await openEngine(path)
    await copy('captured', 'captured_wide')
    await engine.close()
    const results = [
      ...(await writesInTransaction(database, rounds, quick ? 3000 : 10_000)),
      ...(await writesAlone(database, rounds, quick ? 500 : 2000)),
      ...(await wideWrites(database, rounds, quick ? 500 : 1000)),
    ]
    database.close()
    return results
  })
}

async function writesInTransaction(database, rounds, rows) {
  const names = ['captured', 'plain']
  const insert = sides(names, (name) => {
    const statement = database.prepare(`insert into ${name} values (?, ?, ?, ?, ?, ?, ?, ?)`)
    return database.transaction((round) => {
      for (let i = 0; i < rows; i++) {
        statement.run(round * rows + i, i, i % 7, i % 100, i / 8, 'open', '2024-01-01', 'a note')
      }
    })
  })
  const update = sides(names, (name) => {
    const statement = database.prepare(`update ${name} set amount = amount + 1 where id = ?`)
    return database.transaction((round) => {
      for (let i = 0; i < rows; i++) {
        statement.run(round * rows + i)
      }
    })
  })
  const remove = sides(names, (name) => {
    const statement = database.prepare(`delete from ${name} where id = ?`)
    return database.transaction((round) => {
      for (let i = 0; i < rows; i++) {
        statement.run(round * rows + i)
      }
    })
  })
  const results = []
  for (const [verb, side] of Object.entries({ insert, update, delete: remove })) {
    const times = await alternate(rounds, side)
    results.push(compared(1.5, `${verb}, 8 columns, in a transaction`, times, rows))
  }
  return results
}

async function writesAlone(database, rounds, rows) {
  const names = ['captured', 'plain']
  const insert = sides(names, (name) => {
    const statement = database.prepare(`insert into ${name} values (?, ?, ?, ?, ?, ?, ?, ?)`)
    return (round) => {
      for (let i = 0; i < rows; i++) {
        statement.run(round * rows + i, i, i % 7, i % 100, i / 8, 'open', '2024-01-01', 'a note')
      }
    }
  })
  const update = sides(names, (name) => {
    const statement = database.prepare(`update ${name} set amount = amount + 1 where id = ?`)
    return (round) => {
      for (let i = 0; i < rows; i++) {
        statement.run(round * rows + i)
      }
    }
  })
  return [
    compared(1.9, 'insert, 8 columns, autocommit', await alternate(rounds, insert), rows),
    compared(1.9, 'update, 8 columns, autocommit', await alternate(rounds, update), rows),
  ]
}

async function wideWrites(database, rounds, rows) {
  const names = ['captured', 'plain']
  const body = 'x'.repeat(16_384)
  const numbers = Array.from({ length: 27 }, (_, i) => i)
  const insert = sides(names, (name) => {
    const marks = Array.from({ length: 30 }, () => '?').join(', ')
    const statement = database.prepare(`insert into ${name}_wide values (${marks})`)
    return database.transaction((round) => {
      for (let i = 0; i < rows; i++) {
        statement.run(round * rows + i, i, ...numbers, body)
      }
    })
  })
  const update = sides(names, (name) => {
    const statement = database.prepare(`update ${name}_wide set counter = counter + 1 where id = ?`)
    return database.transaction((round) => {
      for (let i = 0; i < rows; i++) {
        statement.run(round * rows + i)
      }
    })
  })
  return [
    compared(1.2, 'insert, 30 columns and 16 KB', await alternate(rounds, insert), rows),
    compared(1.2, 'update, 30 columns and 16 KB', await alternate(rounds, update), rows),
  ]
}

function sides(names, make) {
  return Object.fromEntries(
    names.map((name) => {
      const action = make(name)
      return [name, (round) => computed(() => action(round))]
    }),
  )
}

function compared(bound, what, { captured, plain }, rows) {
  const figures = `captured ${us(median(captured), rows)}, plain ${us(median(plain), rows)}`
  return atMost(bound, `capture: ${what}`, ratio(captured, plain), figures)
}
