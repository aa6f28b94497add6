/** The table that the examples of the rules are computed on, in tests and when a mirror opens. */
export const probeColumns: readonly { readonly name: string; readonly type: string }[] = [
  { name: 'n', type: 'integer primary key' },
  { name: 'i', type: 'integer not null' },
  { name: 'j', type: 'integer' },
  { name: 'r', type: 'real not null' },
  { name: 'q', type: 'real' },
  // No value near a tie when it is rounded to three digits and more.
  { name: 'w', type: 'real' },
  // Nothing but such ties.
  { name: 'h', type: 'real' },
  { name: 's', type: 'text' },
  { name: 't', type: 'text' },
  // Texts that begin with numbers.
  { name: 'v', type: 'text' },
  // Texts in a column of numeric affinity.
  { name: 'm', type: 'datetime' },
  { name: 'd', type: 'text' },
  // Seconds since 1970.
  { name: 'u', type: 'integer' },
  { name: 'b', type: 'blob' },
  // JSON.
  { name: 'o', type: 'text' },
]

const rows = [
  `1, 1, 3, 0.5, 1.5, 1.2346, 0.0625, 'Anna', 'Zoë', '12', '2024-01-15 08:30:00', '2024-01-31', 0, x'00ff', '{"a":1,"b":[1,2],"c":"x"}'`,
  `2, -7, null, -2.75, null, 2.7182, 0.1875, 'bob', 'straße', ' 3.5x', '2023-12-31', '2023-12-31 23:59:59', 1706700000, x'4142', '{"a":null,"c":"y z"}'`,
  `3, 42, 0, 3.0, -0.25, -3.14159, 0.3125, '', null, 'abc', '2024-02-29 12:30:00', '2024-02-29 12:30:00', 1709209800, x'', '[1,"two",null]'`,
  `4, 0, -2, 1234.5678, 8.0, 99.99991, 0.4375, ' pad ', '日本', '-7', null, null, null, null, null`,
  `5, 1000, 2, 0.001, 2.5, 0.00012, 0.5625, 'a-b-c', 'ẞ ok', '1e3', '1999-07-04', '1999-07-04', 931046400, x'ff', '{"a":"7","d":{"e":2.5}}'`,
  `6, 3, 2, 12.25, null, 7.77777, 0.6875, '100%', 'Anna', '', '2024-12-01 00:00:01', '2024-12-01T00:00:01', 1733011201, x'30', '{"b":[],"a":true}'`,
]

/** `p` as a common table, so that nothing has to be created. */
export const probeTable = `p(${probeColumns.map((column) => column.name).join(', ')}) as (values ${rows
  .map((row) => `(${row})`)
  .join(', ')})`

/** `p` as a table with the types that its columns stand for. */
export const createProbeTable = `create table p(${probeColumns
  .map((column) => `${column.name} ${column.type}`)
  .join(', ')}); insert into p values ${rows.map((row) => `(${row})`).join(', ')};`
