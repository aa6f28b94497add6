import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

// Every code and every reason of an error is explained in docs/errors.md, and expected by a test; so is what
// every place says that raises one.

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/errors.md'), 'utf8')

function textsOf(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && name !== join('docs', 'errors.test.ts'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8'))
}

const source = ['src', 'sync', 'dialect'].flatMap((room) => textsOf(room, '.ts')).join('\n')
const tests = textsOf('test', '.test.ts').join('\n')

const codes = unionOf('HtapErrorCode')
const reasons = [
  ...new Set([
    ...[...source.matchAll(/\breason: '([a-z]+(?:-[a-z]+)*)'/g)].map((it) => it[1]!),
    ...unionOf('StoreFault'),
    'refused',
  ]),
]

/** The members of a union of words that the source declares. */
function unionOf(name: string): string[] {
  const [, members = ''] =
    new RegExp(`export type ${name} =([^;]*?)\\n(?:\\n|export)`).exec(source) ?? []
  return [...members.matchAll(/'([a-z-]+)'/g)].map((it) => it[1]!)
}

it('finds codes and reasons', () => {
  expect(codes).toContain('wait-timeout')
  expect(codes.length).toBeGreaterThan(10)
  expect(reasons).toEqual(expect.arrayContaining(['locked', 'damaged', 'newer-log']))
})

describe.each(codes)('the code %s', (code) => {
  it('is raised by the source, explained, and expected by a test', () => {
    expect(source).toMatch(new RegExp(`(?:new HtapError\\(\\s*|HtapErrorCode = )'${code}'`))
    expect(page).toMatch(new RegExp(`^\\| \`${code}\` +\\|.{40}`, 'm'))
    expect(tests).toMatch(new RegExp(`(?:code|error): '${code}'|\\.code\\)\\.toBe\\('${code}'\\)`))
  })
})

describe.each(reasons)('the reason %s', (reason) => {
  it('is explained, and expected by a test', () => {
    expect(page).toContain(`\`${reason}\``)
    expect(tests).toMatch(new RegExp(`reason: '${reason}'|toBe\\('${reason}'\\)`))
  })
})

/** The longest piece of what each place says that is always the same. */
const sayings = [
  ...source.matchAll(/new HtapError\(\s*'[a-z-]+',\s*(`(?:[^`\\]|\\.)*`|'[^']*'|"[^"]*")/g),
].map(([, text = '']) => {
  const pieces = text
    .slice(1, -1)
    .replaceAll('\\`', '`')
    .split(/\$\{[^}]*\}/)
  return pieces.reduce((longest, piece) => (piece.length > longest.length ? piece : longest)).trim()
})

it('finds what errors say', () => {
  expect(sayings).toContain('the connection is closed')
  expect(sayings.length).toBeGreaterThan(50)
})

it('expects by a test what each place says that raises an error', () => {
  expect(sayings.filter((saying) => saying.length <= 'failed'.length)).toEqual([])
  const unexpected = new Set(sayings.filter((saying) => !tests.includes(saying)))
  expect([...unexpected]).toEqual([])
})
