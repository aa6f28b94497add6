/**
 * How a copy of the history holds what became of a row: 0 for an end, 1 for an insert, 2 for an update. A column of few
 * integers takes a fraction of the time that texts take to be hashed and compressed.
 */
export const operationCode = Object.freeze({
  end: 0,
  /** SQL of the code, where there is `op`. */
  of: "case op when 'D' then 0 when 'I' then 1 else 2 end",
  /** SQL of the letter for SQL of a code. */
  letter: (code: string) => `case ${code} when 0 then 'D' when 1 then 'I' else 'U' end`,
})
