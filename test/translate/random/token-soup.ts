import type { Random } from './random.js'

const vocabulary = [
  ...`select from where group by having order limit offset with recursive as materialized not and or is null
    isnull notnull in between like glob regexp match escape case when then else end cast exists distinct all union
    intersect except values join left right full outer inner cross natural using on window over partition rows range
    groups preceding following current row unbounded exclude ties no others filter collate nocase nulls first last asc
    desc true false indexed`.split(/\s+/),
  ...'( ) ( ) , , . ; + - * / % || -> ->> << >> & | ~ = == <> != < <= > >= ? ? ?'.split(' '),
  ..."a b t u \"a\" \"b c\" `t` [u] 'x' '' 'it''s' 1 0 42 1.5 1e9 .5 0x1F x'00ff' count sum max min rowid".split(
    ' ',
  ),
  '/* c */',
  '-- c\n',
  '9223372036854775808',
  '\n',
  '\t',
]

const oddCharacters = [
  '\0',
  '\ufeff',
  '\ud800',
  'é',
  '🙂',
  '\u2028',
  '\\',
  '#',
  '$1',
  ':a',
  '@b',
  '?1',
  "'",
  '"',
  '`',
  '[',
  ']',
  '/*',
  '*/',
  '--',
  '\u00a0',
]

/** Characters of any sort. */
export function randomText(random: Random): string {
  const high = random.pick([0x7f, 0xff, 0xffff])
  return Array.from({ length: random.integer(0, 60) }, () =>
    random.chance(0.1) ? random.pick(oddCharacters) : String.fromCharCode(random.integer(0, high)),
  ).join('')
}

/** Words of the grammar in any order, most often after SELECT. */
export function tokenSoup(random: Random): string {
  const words = Array.from({ length: random.integer(1, 40) }, () =>
    random.chance(0.03) ? random.pick(oddCharacters) : random.pick(vocabulary),
  )
  const start = random.weighted({ select: 7, with: 1, values: 1, nothing: 1 })
  const head = {
    select: 'select a from t where',
    with: 'with t as (',
    values: 'values (',
    nothing: '',
  }
  return `${head[start]} ${words.join(random.chance(0.9) ? ' ' : '')}`
}

/** A statement with a few tokens or characters taken out, doubled, exchanged or put in. */
export function mutated(random: Random, sql: string): string {
  const isByCharacter = random.chance(0.3)
  const pieces = isByCharacter ? [...sql] : sql.split(/(\s+|[(),])/)
  for (let changes = random.integer(1, 5); changes > 0 && pieces.length > 0; changes -= 1) {
    const at = random.integer(0, pieces.length - 1)
    const other = random.integer(0, pieces.length - 1)
    switch (
      random.weighted({
        drop: 3,
        double: 2,
        exchange: 2,
        replace: 3,
        run: 1,
        nest: 0.5,
        chain: 0.3,
      })
    ) {
      case 'drop':
        pieces.splice(at, random.integer(1, 3))
        break
      case 'double':
        pieces.splice(at, 0, pieces[at]!)
        break
      case 'exchange':
        ;[pieces[at], pieces[other]] = [pieces[other]!, pieces[at]!]
        break
      case 'replace':
        pieces[at] = random.chance(0.2)
          ? random.pick(oddCharacters)
          : ` ${random.pick(vocabulary)} `
        break
      case 'run':
        pieces.splice(at, 0, ...pieces.slice(other, other + 10))
        break
      case 'nest': {
        const depth = random.pick([3, 50, 250, 2000])
        pieces.splice(
          at,
          1,
          '('.repeat(depth),
          pieces[at]!,
          ')'.repeat(random.chance(0.8) ? depth : 1),
        )
        break
      }
      case 'chain':
        pieces.splice(
          at,
          0,
          random
            .pick([' + 1', ' or a', ' || x', ' and b = 1', ' not', ' -'])
            .repeat(random.pick([10, 600, 3000])),
        )
        break
    }
  }
  return random.chance(0.1)
    ? pieces.join('').slice(0, random.integer(0, sql.length))
    : pieces.join('')
}
