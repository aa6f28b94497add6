import type { MomentForms } from './date-moment.js'

/** Formats of SQLite and what DuckDB calls them (https://sqlite.org/lang_datefunc.html#strftime). */
const formats: Readonly<Record<string, string>> = {
  '%%': '%%',
  '%Y': '%Y',
  '%m': '%m',
  '%d': '%d',
  '%H': '%H',
  '%I': '%I',
  '%M': '%M',
  '%S': '%S',
  '%f': '%S.%g',
  '%p': '%p',
  '%j': '%j',
  '%w': '%w',
  '%u': '%u',
  '%U': '%U',
  '%W': '%W',
  '%G': '%G',
  '%V': '%V',
  '%F': '%Y-%m-%d',
  '%T': '%H:%M:%S',
  '%R': '%H:%M',
}

/** First character and length of the parts of an ISO date. */
const parts: Readonly<Record<string, readonly [first: number, length: number]>> = {
  '%F': [1, 10],
  '%Y-%m-%d': [1, 10],
  '%Y-%m': [1, 7],
  '%m-%d': [6, 5],
  '%Y': [1, 4],
  '%m': [6, 2],
  '%d': [9, 2],
}

/** Text in the format, of a moment; null when a part of the format is not proven. */
export function formatted(format: string): ((forms: MomentForms) => string) | null {
  const words = format.match(/%[\s\S]|[^%]+|%$/g)
  if (words === null || format.includes('\0')) {
    return null
  }
  const duck = words.map((word) => (word.startsWith('%') ? formats[word] : word))
  if (duck.includes(undefined)) {
    return null
  }
  const full = quoted(duck.join(''))
  const cut = cutFrom(format)
  return ({ stamp, date }) =>
    date === null || cut === null ? `strftime(${stamp}, ${full})` : cut(date)
}

/** Formats of nothing but parts of a date need no calendar. */
function cutFrom(format: string): ((date: string) => string) | null {
  const words = format.match(/%F|%Y-%m-%d|%Y-%m|%m-%d|%[\s\S]|[^%]+/g) ?? []
  const isCut = words.every((word) => !word.startsWith('%') || word === '%%' || word in parts)
  return isCut ? (date) => concatenated(words.map((word) => piece(word, date))) : null
}

function piece(word: string, date: string): string {
  const part = parts[word]
  return part === undefined
    ? quoted(word === '%%' ? '%' : word)
    : `substring(${date}, ${part[0]}, ${part[1]})`
}

function concatenated(pieces: readonly string[]): string {
  return pieces.length === 1 ? pieces.join('') : `(${pieces.join(' || ')})`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
