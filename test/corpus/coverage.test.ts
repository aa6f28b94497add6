import { expect, it } from 'vitest'
import { Child } from '../support/child.js'

interface Report {
  readonly name: string
  readonly absence: string | null
  readonly results: readonly {
    readonly name: string
    readonly engine: 'duckdb' | 'sqlite' | null
    readonly isEmpty: boolean
    readonly difference: string | null
  }[]
}

it('answers every query of the corpora as the stock dialect does', async () => {
  const child = new Child('../../bench/coverage.mjs', ['--json'])
  const { reports } = JSON.parse(await child.nextLine()) as { reports: readonly Report[] }
  const results = reports.flatMap(({ name: corpus, results }) =>
    results.map((it) => ({ corpus, ...it })),
  )

  expect(results.filter((it) => it.difference !== null)).toEqual([])
  // An answer without rows would be equal to most wrong ones.
  expect(results.filter((it) => it.isEmpty)).toEqual([])
  expect(Object.fromEntries(reports.map(({ name, results }) => [name, results.length]))).toEqual({
    tpch: 22,
    ssb: 13,
    chinook: reports.some((it) => it.absence !== null) ? 0 : 35,
    recipes: 89,
    demo: 15,
  })
  // Were everything kept on SQLite, equal answers would show nothing.
  const onDuckDb = (name: string) =>
    results.filter((it) => it.corpus === name && it.engine === 'duckdb').length
  expect(onDuckDb('tpch')).toBe(22)
  expect(onDuckDb('ssb')).toBe(13)
  expect(await child.ended()).toEqual({ code: 0, signal: null })
}, 120_000)
