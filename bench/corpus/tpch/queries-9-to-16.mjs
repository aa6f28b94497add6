import { sql } from 'kysely'
import { revenue, shifted, yearOf } from './expressions.mjs'

/** Questions 9 to 16 of TPC-H. */
export const queries9To16 = [
  {
    name: 'Q9 profit by nation and year',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('part')
            .innerJoin('lineitem', 'l_partkey', 'p_partkey')
            .innerJoin('supplier', 's_suppkey', 'l_suppkey')
            .innerJoin('partsupp', (join) =>
              join.onRef('ps_suppkey', '=', 'l_suppkey').onRef('ps_partkey', '=', 'l_partkey'),
            )
            .innerJoin('orders', 'o_orderkey', 'l_orderkey')
            .innerJoin('nation', 'n_nationkey', 's_nationkey')
            .select([
              'n_name as nation',
              yearOf('o_orderdate').as('o_year'),
              sql`${revenue} - ps_supplycost * l_quantity`.as('amount'),
            ])
            .where('p_name', 'like', '%green%')
            .as('profit'),
        )
        .select((eb) => ['nation', 'o_year', eb.fn.sum('amount').as('sum_profit')])
        .groupBy(['nation', 'o_year'])
        .orderBy('nation')
        .orderBy('o_year', 'desc'),
  },
  {
    name: 'Q10 returned items',
    build: (db) =>
      db
        .selectFrom('customer')
        .innerJoin('orders', 'o_custkey', 'c_custkey')
        .innerJoin('lineitem', 'l_orderkey', 'o_orderkey')
        .innerJoin('nation', 'n_nationkey', 'c_nationkey')
        .select((eb) => [
          'c_custkey',
          'c_name',
          eb.fn.sum(revenue).as('revenue'),
          'c_acctbal',
          'n_name',
          'c_address',
          'c_phone',
          'c_comment',
        ])
        .where('o_orderdate', '>=', '1993-10-01')
        .where('o_orderdate', '<', shifted('1993-10-01', '+3 months'))
        .where('l_returnflag', '=', 'R')
        .groupBy([
          'c_custkey',
          'c_name',
          'c_acctbal',
          'c_phone',
          'n_name',
          'c_address',
          'c_comment',
        ])
        .orderBy('revenue', 'desc')
        .limit(20),
  },
  {
    name: 'Q11 important stock',
    build: (db) => {
      const stock = db
        .selectFrom('partsupp')
        .innerJoin('supplier', 's_suppkey', 'ps_suppkey')
        .innerJoin('nation', 'n_nationkey', 's_nationkey')
        .where('n_name', '=', 'GERMANY')
      const value = sql`sum(ps_supplycost * ps_availqty)`
      return stock
        .select(['ps_partkey', value.as('value')])
        .groupBy('ps_partkey')
        .having(value, '>', stock.select(sql`${value} * 0.001`.as('bound')))
        .orderBy('value', 'desc')
    },
  },
  {
    name: 'Q12 shipping modes and priority',
    build: (db) =>
      db
        .selectFrom('orders')
        .innerJoin('lineitem', 'l_orderkey', 'o_orderkey')
        .select((eb) => {
          const isUrgent = eb('o_orderpriority', 'in', ['1-URGENT', '2-HIGH'])
          return [
            'l_shipmode',
            eb.fn.sum(eb.case().when(isUrgent).then(1).else(0).end()).as('high_line_count'),
            eb.fn.sum(eb.case().when(eb.not(isUrgent)).then(1).else(0).end()).as('low_line_count'),
          ]
        })
        .where('l_shipmode', 'in', ['MAIL', 'SHIP'])
        .whereRef('l_commitdate', '<', 'l_receiptdate')
        .whereRef('l_shipdate', '<', 'l_commitdate')
        .where('l_receiptdate', '>=', '1994-01-01')
        .where('l_receiptdate', '<', shifted('1994-01-01', '+1 year'))
        .groupBy('l_shipmode')
        .orderBy('l_shipmode'),
  },
  {
    name: 'Q13 distribution of customers',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('customer')
            .leftJoin('orders', (join) =>
              join
                .onRef('o_custkey', '=', 'c_custkey')
                .on('o_comment', 'not like', '%special%requests%'),
            )
            .select((inner) => ['c_custkey', inner.fn.count('o_orderkey').as('c_count')])
            .groupBy('c_custkey')
            .as('c_orders'),
        )
        .select((eb) => ['c_count', eb.fn.countAll().as('custdist')])
        .groupBy('c_count')
        .orderBy('custdist', 'desc')
        .orderBy('c_count', 'desc'),
  },
  {
    name: 'Q14 effect of promotions',
    build: (db) =>
      db
        .selectFrom('lineitem')
        .innerJoin('part', 'p_partkey', 'l_partkey')
        .select((eb) => {
          const promoted = eb.case().when('p_type', 'like', 'PROMO%').then(revenue).else(0).end()
          return sql`100.0 * ${eb.fn.sum(promoted)} / ${eb.fn.sum(revenue)}`.as('promo_revenue')
        })
        .where('l_shipdate', '>=', '1995-09-01')
        .where('l_shipdate', '<', shifted('1995-09-01', '+1 month')),
  },
  {
    name: 'Q15 top supplier',
    build: (db) =>
      db
        .with('revenue', (qb) =>
          qb
            .selectFrom('lineitem')
            .select((eb) => ['l_suppkey as supplier_no', eb.fn.sum(revenue).as('total_revenue')])
            .where('l_shipdate', '>=', '1996-01-01')
            .where('l_shipdate', '<', shifted('1996-01-01', '+3 months'))
            .groupBy('l_suppkey'),
        )
        .selectFrom('supplier')
        .innerJoin('revenue', 'supplier_no', 's_suppkey')
        .select(['s_suppkey', 's_name', 's_address', 's_phone', 'total_revenue'])
        .where('total_revenue', '=', (eb) =>
          eb.selectFrom('revenue').select((max) => max.fn.max('total_revenue').as('most')),
        )
        .orderBy('s_suppkey'),
  },
  {
    name: 'Q16 suppliers of parts',
    build: (db) =>
      db
        .selectFrom('partsupp')
        .innerJoin('part', 'p_partkey', 'ps_partkey')
        .select((eb) => [
          'p_brand',
          'p_type',
          'p_size',
          eb.fn.count('ps_suppkey').distinct().as('supplier_cnt'),
        ])
        .where('p_brand', '<>', 'Brand#45')
        .where('p_type', 'not like', 'MEDIUM POLISHED%')
        .where('p_size', 'in', [49, 14, 23, 45, 19, 3, 36, 9])
        .where('ps_suppkey', 'not in', (eb) =>
          eb
            .selectFrom('supplier')
            .select('s_suppkey')
            .where('s_comment', 'like', '%Customer%Complaints%'),
        )
        .groupBy(['p_brand', 'p_type', 'p_size'])
        .orderBy('supplier_cnt', 'desc')
        .orderBy('p_brand')
        .orderBy('p_type')
        .orderBy('p_size'),
  },
]
