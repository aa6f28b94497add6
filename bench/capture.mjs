import { join } from 'node:path'
import { alternate, atMost, computed, median, noted, ratio, us } from './measure.mjs'
import { openEngine } from './open-engine.mjs'
import { createDatabase, orderColumns } from './order-table.mjs'
import { inScratchFolder } from './scratch-folder.mjs'

/** The row that the bound was set for: a key, integers, reals, a short and a longer text. */
const usualColumns = `
  id integer primary key, account integer, qty integer, price real, discount real, status text,
  note text, ts integer`

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
      database.exec(`create table ${name} (${usualColumns})`)
      database.exec(`create table ${name}_strict (${orderColumns})`)
      database.exec(`create table ${name}_wide (${wideColumns})`)
    }
    // The triggers stay when the engine goes, and nothing else disturbs the figures.
    const { engine, copy } = await openEngine(path)
    await copy('captured', 'captured_strict', 'captured_wide')
    await engine.close()
    const results = [
      ...(await writesInTransaction(database, rounds, quick ? 3000 : 10_000)),
      ...(await checkedWrites(database, rounds, quick ? 3000 : 10_000)),
      ...(await writesAlone(database, rounds, quick ? 500 : 2000)),
      ...(await wideWrites(database, rounds, quick ? 500 : 1000)),
    ]
    database.close()
    return results
  })
}

/** Rows are inserted in order, updated at random and deleted in order, as when the bound was set. */
async function writesInTransaction(database, rounds, rows) {
  const names = ['captured', 'plain']
  const insert = sides(names, (name) => {
    const statement = database.prepare(`insert into ${name} values (?, ?, ?, ?, ?, ?, ?, ?)`)
    return database.transaction((round) => {
      for (let i = 0; i < rows; i++) {
        statement.run(...usualRow(round * rows + i))
      }
    })
  })
  const update = sides(names, (name) => {
    const sql = `update ${name} set qty = qty + 1, price = ? where id = ?`
    const statement = database.prepare(sql)
    return database.transaction((round) => {
      for (let i = 0; i < rows; i++) {
        // A step that is prime to the number of rows meets each of them once.
        statement.run(i / 4, ((round * rows + i) * 7919) % (rounds * rows))
      }
    })
  })
  const remove = sides(names, (name) => deletion(database, name, rows))
  const results = []
  for (const [verb, side] of Object.entries({ insert, update, delete: remove })) {
    const times = await alternate(rounds, side)
    results.push(compared(1.5, `${verb}, 8 columns, in a transaction`, times, rows))
  }
  return results
}

function usualRow(id) {
  return [id, id % 5000, id % 7, id / 8, 0.25, 'paid', `note text for the row number ${id}`, id]
}

function deletion(database, name, rows) {
  const statement = database.prepare(`delete from ${name} where id = ?`)
  return database.transaction((round) => {
    for (let i = 0; i < rows; i++) {
      statement.run(round * rows + i)
    }
  })
}

/**
 * NOT NULL on every column: beside any trigger, even one that does nothing, SQLite then keeps a
 * journal for each statement. No bound: it is the price of a trigger as such.
 */
async function checkedWrites(database, rounds, rows) {
  const names = ['captured', 'plain']
  const insert = sides(names, (name) => {
    const statement = database.prepare(`insert into ${name}_strict values (?, ?, ?, ?, ?, ?, ?, ?)`)
    return database.transaction((round) => {
      for (let i = 0; i < rows; i++) {
        statement.run(round * rows + i, i, i % 7, i % 100, i / 8, 'open', '2024-01-01', 'a note')
      }
    })
  })
  const update = sides(names, (name) => {
    const statement = database.prepare(`update ${name}_strict set amount = amount + 1 where id = ?`)
    return database.transaction((round) => {
      for (let i = 0; i < rows; i++) {
        statement.run(round * rows + i)
      }
    })
  })
  const remove = sides(names, (name) => deletion(database, `${name}_strict`, rows))
  const results = []
  for (const [verb, side] of Object.entries({ insert, update, delete: remove })) {
    const { captured, plain } = await alternate(rounds, side)
    const figures = `captured ${us(median(captured), rows)}, plain ${us(median(plain), rows)}`
    results.push(noted(`capture: ${verb}, columns NOT NULL`, ratio(captured, plain), figures))
  }
  return results
}

async function writesAlone(database, rounds, rows) {
  const names = ['captured', 'plain']
  const insert = sides(names, (name) => {
    const statement = database.prepare(`insert into ${name} values (?, ?, ?, ?, ?, ?, ?, ?)`)
    return (round) => {
      for (let i = 0; i < rows; i++) {
        statement.run(...usualRow(round * rows + i))
      }
    }
  })
  const update = sides(names, (name) => {
    const statement = database.prepare(`update ${name} set qty = qty + 1 where id = ?`)
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
