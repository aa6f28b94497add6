import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { limits } from '../../dist/src/core/limits.js'

// docs/limits.md tells of every limit, of none that is not there, and of each the value that it has; a
// test of what happens there names it.

const page = readFileSync(fileURLToPath(new URL('../../docs/limits.md', import.meta.url)), 'utf8')
const rows = [...page.matchAll(/^\| `(\w+)` +\| +(\S+) \| (.*?) +\|/gm)]

it('tells of every limit with its value, and what it bounds', () => {
  const told = Object.fromEntries(rows.map(([, name, value]) => [name, value]))
  const wanted = Object.entries(limits).map(([name, value]) => [
    name,
    typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 6 }) : value,
  ])
  expect(told).toEqual(Object.fromEntries(wanted))
  expect(rows).toHaveLength(Object.keys(limits).length)
  expect(rows.filter(([, , , what]) => what!.length < 10)).toEqual([])
})

it('has a test for every limit that names it', () => {
  const folder = fileURLToPath(new URL('..', import.meta.url))
  const tests = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.startsWith('docs'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
  const unnamed = Object.keys(limits).filter((name) => !new RegExp(`\\b${name}\\b`).test(tests))
  expect(unnamed).toEqual([])
})
