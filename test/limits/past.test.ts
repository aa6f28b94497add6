import { expect, it } from 'vitest'
import { asOf, htap, oltp } from '../../dist/dialect/index.js'
import { limits } from '../../dist/src/core/limits.js'
import { PastApp } from '../temporal/past-app.js'

const { historyMoveMs, pastDatabasesMax, pastSchemasMax } = limits

/** How many connections were opened while something ran; each past schema and state is one. */
async function opened(counter: { count: number }, run: () => Promise<unknown>): Promise<number> {
  const before = counter.count
  await run()
  return counter.count - before
}

async function open() {
  const counter = { count: 0 }
  const app = await PastApp.open(
    (database) => database.exec('create table t(id integer primary key)'),
    {
      onCreateConnection: () => {
        counter.count++
      },
    },
  )
  return { app, counter }
}

it(`keeps pastDatabasesMax (${pastDatabasesMax}) states in memory, and makes others anew`, async () => {
  const { app, counter } = await open()
  const positions: number[] = []
  for (let n = 0; n <= pastDatabasesMax; n++) {
    await app.run(`insert into t values (${n})`)
    positions.push((await app.settle()).position)
  }
  const ask = async (n: number) => {
    const past = oltp(asOf(app.db, { position: positions[n] as number }))
    expect(await past.selectFrom('t').select('id').execute()).toHaveLength(n + 1)
  }
  await ask(0)
  expect(await opened(counter, () => ask(0))).toBe(0)
  for (let n = 1; n <= pastDatabasesMax; n++) {
    expect(await opened(counter, () => ask(n))).toBe(1)
  }
  expect(await opened(counter, () => ask(pastDatabasesMax))).toBe(0)
  expect(await opened(counter, () => ask(0))).toBe(1)
})

it(`keeps pastSchemasMax (${pastSchemasMax}) schemas in memory, and makes others anew`, async () => {
  const { app, counter } = await open()
  const positions: number[] = []
  for (let n = 0; n <= pastSchemasMax; n++) {
    await app.run(`alter table t add column c${n}`)
    positions.push((await app.settle()).position)
  }
  const ask = (n: number) =>
    htap(app.db).explain(
      asOf(app.db, { position: positions[n] as number })
        .selectFrom('t')
        .select(`c${n}`),
    )
  for (let n = 0; n <= pastSchemasMax; n++) {
    expect(await opened(counter, () => ask(n))).toBe(1)
  }
  expect(await opened(counter, () => ask(pastSchemasMax))).toBe(0)
  expect(await opened(counter, () => ask(0))).toBe(1)
})

it(`moves what was committed by itself, after historyMoveMs (${historyMoveMs})`, async () => {
  const { app } = await open()
  const { position } = await app.settle()
  await app.run('insert into t values (1)')
  const now = async () => (await htap(app.db).status()).history?.position ?? 0
  for (let wait = 0; wait < 500 && (await now()) === position; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(await now()).toBeGreaterThan(position)
})
