import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { probeRules } from '../../dist/dialect/router/rule-probe.js'
import { openStore } from '../olap/stores.js'

it('tells nothing of the rules where the store answers nothing, and is made again', async () => {
  const database = new Database(':memory:')
  const closed = await openStore()
  await closed.close()
  await expect(probeRules(closed, database)).rejects.toThrow()
  expect([...(await probeRules(await openStore(), database))]).toEqual([])
  database.close()
})
