/** Where a piece of syntax stands in the statement's text. */
export interface Span {
  readonly start: number
  readonly end: number
}

export type Expression = (
  | NullLiteral
  | IntegerLiteral
  | RealLiteral
  | TextLiteral
  | BlobLiteral
  | Parameter
  | ColumnReference
  | UnaryExpression
  | BinaryExpression
  | NullTest
  | BetweenExpression
  | PatternExpression
  | InExpression
  | ExistsExpression
  | ScalarSubquery
  | CaseExpression
  | CastExpression
  | FunctionCall
  | CollateExpression
  | RowValue
) &
  Span

export interface NullLiteral {
  readonly kind: 'null'
}

export interface IntegerLiteral {
  readonly kind: 'integer'
  /** Decimal or 0x digits, unsigned. */
  readonly text: string
}

export interface RealLiteral {
  readonly kind: 'real'
  readonly text: string
}

export interface TextLiteral {
  readonly kind: 'text'
  readonly value: string
}

export interface BlobLiteral {
  readonly kind: 'blob'
  readonly hex: string
}

export interface Parameter {
  readonly kind: 'parameter'
  /** Position among the parameters, from 0. */
  readonly index: number
}

export interface ColumnReference {
  readonly kind: 'column'
  readonly schema: string | null
  readonly table: string | null
  readonly name: string
  /** It stood without quotes, so it may be TRUE, FALSE or CURRENT_DATE. */
  readonly bare: boolean
}

export interface UnaryExpression {
  readonly kind: 'unary'
  readonly operator: '-' | '+' | '~' | 'not'
  readonly operand: Expression
}

export type BinaryOperator =
  | 'or'
  | 'and'
  | '='
  | '<>'
  | 'is'
  | 'is not'
  | '<'
  | '<='
  | '>'
  | '>='
  | '&'
  | '|'
  | '<<'
  | '>>'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '||'
  | '->'
  | '->>'

export interface BinaryExpression {
  readonly kind: 'binary'
  readonly operator: BinaryOperator
  readonly left: Expression
  readonly right: Expression
}

export interface NullTest {
  readonly kind: 'null-test'
  readonly operand: Expression
  readonly negated: boolean
}

export interface BetweenExpression {
  readonly kind: 'between'
  readonly operand: Expression
  readonly low: Expression
  readonly high: Expression
  readonly negated: boolean
}

export interface PatternExpression {
  readonly kind: 'pattern'
  readonly operator: 'like' | 'glob' | 'regexp' | 'match'
  readonly operand: Expression
  readonly pattern: Expression
  readonly escape: Expression | null
  readonly negated: boolean
}

export interface InExpression {
  readonly kind: 'in'
  readonly operand: Expression
  readonly negated: boolean
  readonly items: readonly Expression[] | null
  readonly select: Select | null
}

export interface ExistsExpression {
  readonly kind: 'exists'
  readonly select: Select
}

export interface ScalarSubquery {
  readonly kind: 'subquery'
  readonly select: Select
}

export interface CaseExpression {
  readonly kind: 'case'
  readonly operand: Expression | null
  readonly branches: readonly { readonly when: Expression; readonly result: Expression }[]
  readonly otherwise: Expression | null
}

export interface CastExpression {
  readonly kind: 'cast'
  readonly operand: Expression
  /** What SQLite reads the affinity from, upper-case. */
  readonly type: string
}

export interface FunctionCall {
  readonly kind: 'function'
  /** Lower-case. */
  readonly name: string
  readonly star: boolean
  readonly distinct: boolean
  readonly items: readonly Expression[]
  /** ORDER BY inside the parentheses. */
  readonly orderBy: readonly OrderTerm[]
  readonly filter: Expression | null
  readonly over: WindowSpecification | null
}

export interface CollateExpression {
  readonly kind: 'collate'
  readonly operand: Expression
  readonly collation: string
}

export interface RowValue {
  readonly kind: 'row'
  readonly items: readonly Expression[]
}

export interface OrderTerm {
  readonly expression: Expression
  readonly descending: boolean
  /** Written NULLS FIRST or NULLS LAST; null for SQLite's default. */
  readonly nulls: 'first' | 'last' | null
}

export interface WindowSpecification {
  /** A named window that this one is, or starts from. */
  readonly base: string | null
  /** `OVER name` without parentheses. */
  readonly isName: boolean
  readonly partitionBy: readonly Expression[]
  readonly orderBy: readonly OrderTerm[]
  readonly frame: WindowFrame | null
}

export interface WindowFrame {
  readonly unit: 'rows' | 'range' | 'groups'
  readonly start: FrameBound
  readonly end: FrameBound | null
  readonly exclude: 'no others' | 'current row' | 'group' | 'ties' | null
}

export interface FrameBound {
  readonly kind:
    | 'unbounded preceding'
    | 'preceding'
    | 'current row'
    | 'following'
    | 'unbounded following'
  readonly offset: Expression | null
}

export interface Select extends Span {
  readonly recursive: boolean
  readonly ctes: readonly CommonTable[]
  readonly body: SelectBody
  readonly orderBy: readonly OrderTerm[]
  readonly limit: Expression | null
  readonly offset: Expression | null
}

export interface CommonTable {
  readonly name: string
  readonly columns: readonly string[] | null
  readonly select: Select
}

export type SelectBody = SelectCore | ValuesCore | CompoundBody

export interface CompoundBody {
  readonly kind: 'compound'
  readonly operator: 'union' | 'union all' | 'intersect' | 'except'
  readonly left: SelectBody
  readonly right: SelectCore | ValuesCore
}

export interface ValuesCore {
  readonly kind: 'values'
  readonly rows: readonly (readonly Expression[])[]
}

export interface SelectCore {
  readonly kind: 'core'
  readonly distinct: boolean
  readonly columns: readonly ResultColumn[]
  readonly from: FromItem | null
  readonly where: Expression | null
  readonly groupBy: readonly Expression[]
  readonly having: Expression | null
  readonly windows: readonly NamedWindow[]
}

export interface NamedWindow {
  readonly name: string
  readonly window: WindowSpecification
}

export type ResultColumn =
  | { readonly kind: 'star'; readonly table: string | null }
  | { readonly kind: 'expression'; readonly expression: Expression; readonly alias: string | null }

export type FromItem = TableItem | SubqueryItem | JoinItem

export interface TableItem {
  readonly kind: 'table'
  readonly schema: string | null
  readonly name: string
  readonly alias: string | null
}

export interface SubqueryItem {
  readonly kind: 'subquery'
  readonly select: Select
  readonly alias: string | null
}

export interface JoinItem {
  readonly kind: 'join'
  readonly type: 'inner' | 'left' | 'right' | 'full' | 'cross' | 'comma'
  readonly natural: boolean
  readonly left: FromItem
  readonly right: FromItem
  readonly on: Expression | null
  readonly using: readonly string[] | null
}
