const marks = [
  /\b(?:join|having|over|with|union|intersect|except|distinct)\b/,
  /\bgroup by\b/,
  /\b(?:avg|count|group_concat|json_group_array|json_group_object|max|min|string_agg|sum|total)\s*\(/,
]

/**
 * Whether a query has an aggregate, a join, grouping, a window, a CTE, a set operation or a
 * subquery. Told from the text alone, so that a router that overlooks one is found out.
 */
export function isAnalytic(sql) {
  // Names and texts may contain any word.
  const text = sql.toLowerCase().replace(/"[^"]*"|'[^']*'/g, '_')
  return marks.some((mark) => mark.test(text)) || text.split(/\bselect\b/).length > 2
}
