import type { QueryWriter, Source } from './query-writer.js'

const paths = ['$.a', '$.b', '$.b', '$.c[0]', '$.a.b', '$', '$[0]', '$.c[#-1]', '$.zz']

function document(w: QueryWriter, sources: readonly Source[]): string {
  return w.columnOf(sources, ['json']).sql
}

function path(w: QueryWriter): string {
  const { random } = w
  return random.chance(0.85) ? `'${random.pick(paths)}'` : w.parameter(random.pick(paths))
}

/** Any value taken out of a JSON text. */
export function documentText(w: QueryWriter, sources: readonly Source[]): string {
  return w.choose([
    [3, () => `json_extract(${document(w, sources)}, ${path(w)})`],
    [3, () => `${document(w, sources)} ->> ${path(w)}`],
    [1, () => `${document(w, sources)} ->> 'b'`],
    [1, () => `${document(w, sources)} -> ${path(w)}`],
    [0.3, () => `json(${document(w, sources)})`],
    [0.3, () => `json_type(${document(w, sources)}, ${path(w)})`],
    [1, () => builtDocument(w, sources)],
  ])
}

export function documentNumber(w: QueryWriter, sources: readonly Source[]): string {
  return w.choose([
    [2, () => `json_extract(${document(w, sources)}, '$.a')`],
    [1, () => `json_array_length(${document(w, sources)})`],
    [1, () => `cast(${document(w, sources)} ->> '$.a' as integer)`],
    [0.5, () => `json_valid(${document(w, sources)})`],
  ])
}

export function documentCondition(w: QueryWriter, sources: readonly Source[]): string {
  return w.choose([
    [2, () => `${document(w, sources)} ->> '$.b' = ${w.constant('x')}`],
    [1, () => `json_extract(${document(w, sources)}, '$.a') > ${w.constant(1)}`],
    [1, () => `json_extract(${document(w, sources)}, ${path(w)}) is not null`],
    [0.5, () => `json_valid(${document(w, sources)})`],
  ])
}

/** JSON made of columns, as helpers for relations write it. */
export function builtDocument(w: QueryWriter, sources: readonly Source[]): string {
  const value = () => w.column(sources).sql
  return w.choose([
    [2, () => `json_object('x', ${value()}, 'y', ${value()})`],
    [1, () => `json_array(${w.list(1, 3, value).join(', ')})`],
    [0.5, () => `json_object('k', json_array(${value()}), 'c', ${w.constant(1)})`],
    [0.2, () => `json_quote(${value()})`],
  ])
}
