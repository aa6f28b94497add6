/**
 * Words that SQLite's grammar never takes for a name without quotes
 * (https://sqlite.org/lang_keywords.html, less those with a fallback to a name).
 */
const reserved = new Set(
  `ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE DEFAULT
  DEFERRABLE DELETE DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING IN INDEX INSERT
  INTERSECT INTO IS ISNULL JOIN LIMIT NOT NOTHING NOTNULL NULL ON OR ORDER PRIMARY REFERENCES RETURNING
  SELECT SET TABLE THEN TO TRANSACTION UNION UNIQUE UPDATE USING VALUES WHEN WHERE`.split(/\s+/),
)

/** Words that would be read as the next clause where an alias could stand without AS. */
const clauseWords = new Set(
  'CROSS FULL INNER LEFT NATURAL OUTER RIGHT WINDOW FILTER OVER INDEXED END ASC DESC NULLS'.split(
    ' ',
  ),
)

/** @param word in capitals */
export function isReserved(word: string): boolean {
  return reserved.has(word)
}

/** @param word in capitals */
export function mayBeBareAlias(word: string): boolean {
  return !isReserved(word) && !clauseWords.has(word)
}
