import { sql } from 'kysely'
import { revenue, shifted, yearOf } from './expressions.mjs'

/** Questions 1 to 8 of TPC-H. */
export const queries1To8 = [
  {
    name: 'Q1 pricing summary',
    build: (db) =>
      db
        .selectFrom('lineitem')
        .select((eb) => [
          'l_returnflag',
          'l_linestatus',
          eb.fn.sum('l_quantity').as('sum_qty'),
          eb.fn.sum('l_extendedprice').as('sum_base_price'),
          eb.fn.sum(revenue).as('sum_disc_price'),
          eb.fn.sum(sql`${revenue} * (1 + l_tax)`).as('sum_charge'),
          eb.fn.avg('l_quantity').as('avg_qty'),
          eb.fn.avg('l_extendedprice').as('avg_price'),
          eb.fn.avg('l_discount').as('avg_disc'),
          eb.fn.countAll().as('count_order'),
        ])
        .where('l_shipdate', '<=', shifted('1998-12-01', '-90 days'))
        .groupBy(['l_returnflag', 'l_linestatus'])
        .orderBy('l_returnflag')
        .orderBy('l_linestatus'),
  },
  {
    name: 'Q2 minimum cost supplier',
    build: (db) =>
      db
        .selectFrom('part')
        .innerJoin('partsupp', 'ps_partkey', 'p_partkey')
        .innerJoin('supplier', 's_suppkey', 'ps_suppkey')
        .innerJoin('nation', 'n_nationkey', 's_nationkey')
        .innerJoin('region', 'r_regionkey', 'n_regionkey')
        .select([
          's_acctbal',
          's_name',
          'n_name',
          'p_partkey',
          'p_mfgr',
          's_address',
          's_phone',
          's_comment',
        ])
        .where('p_size', '=', 15)
        .where('p_type', 'like', '%BRASS')
        .where('r_name', '=', 'EUROPE')
        .where('ps_supplycost', '=', (eb) =>
          eb
            .selectFrom('partsupp as offer')
            .innerJoin('supplier as other', 'other.s_suppkey', 'offer.ps_suppkey')
            .innerJoin('nation as land', 'land.n_nationkey', 'other.s_nationkey')
            .innerJoin('region as part_of', 'part_of.r_regionkey', 'land.n_regionkey')
            .select((inner) => inner.fn.min('offer.ps_supplycost').as('cheapest'))
            .whereRef('offer.ps_partkey', '=', 'p_partkey')
            .where('part_of.r_name', '=', 'EUROPE'),
        )
        .orderBy('s_acctbal', 'desc')
        .orderBy('n_name')
        .orderBy('s_name')
        .orderBy('p_partkey')
        .limit(100),
  },
  {
    name: 'Q3 shipping priority',
    build: (db) =>
      db
        .selectFrom('customer')
        .innerJoin('orders', 'o_custkey', 'c_custkey')
        .innerJoin('lineitem', 'l_orderkey', 'o_orderkey')
        .select((eb) => [
          'l_orderkey',
          eb.fn.sum(revenue).as('revenue'),
          'o_orderdate',
          'o_shippriority',
        ])
        .where('c_mktsegment', '=', 'BUILDING')
        .where('o_orderdate', '<', '1995-03-15')
        .where('l_shipdate', '>', '1995-03-15')
        .groupBy(['l_orderkey', 'o_orderdate', 'o_shippriority'])
        .orderBy('revenue', 'desc')
        .orderBy('o_orderdate')
        .limit(10),
  },
  {
    name: 'Q4 order priority checking',
    build: (db) =>
      db
        .selectFrom('orders')
        .select((eb) => ['o_orderpriority', eb.fn.countAll().as('order_count')])
        .where('o_orderdate', '>=', '1993-07-01')
        .where('o_orderdate', '<', shifted('1993-07-01', '+3 months'))
        .where((eb) =>
          eb.exists(
            eb
              .selectFrom('lineitem')
              .selectAll()
              .whereRef('l_orderkey', '=', 'o_orderkey')
              .whereRef('l_commitdate', '<', 'l_receiptdate'),
          ),
        )
        .groupBy('o_orderpriority')
        .orderBy('o_orderpriority'),
  },
  {
    name: 'Q5 local supplier volume',
    build: (db) =>
      db
        .selectFrom('customer')
        .innerJoin('orders', 'o_custkey', 'c_custkey')
        .innerJoin('lineitem', 'l_orderkey', 'o_orderkey')
        .innerJoin('supplier', (join) =>
          join
            .onRef('s_suppkey', '=', 'l_suppkey')
            .onRef('s_nationkey', '=', 'customer.c_nationkey'),
        )
        .innerJoin('nation', 'n_nationkey', 's_nationkey')
        .innerJoin('region', 'r_regionkey', 'n_regionkey')
        .select((eb) => ['n_name', eb.fn.sum(revenue).as('revenue')])
        .where('r_name', '=', 'ASIA')
        .where('o_orderdate', '>=', '1994-01-01')
        .where('o_orderdate', '<', shifted('1994-01-01', '+1 year'))
        .groupBy('n_name')
        .orderBy('revenue', 'desc'),
  },
  {
    name: 'Q6 forecast of revenue',
    build: (db) =>
      db
        .selectFrom('lineitem')
        .select((eb) => eb.fn.sum(eb('l_extendedprice', '*', eb.ref('l_discount'))).as('revenue'))
        .where('l_shipdate', '>=', '1994-01-01')
        .where('l_shipdate', '<', shifted('1994-01-01', '+1 year'))
        .where((eb) => eb.between('l_discount', 0.05, 0.07))
        .where('l_quantity', '<', 24),
  },
  {
    name: 'Q7 volume shipping',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('supplier')
            .innerJoin('lineitem', 'l_suppkey', 's_suppkey')
            .innerJoin('orders', 'o_orderkey', 'l_orderkey')
            .innerJoin('customer', 'c_custkey', 'o_custkey')
            .innerJoin('nation as n1', 'n1.n_nationkey', 's_nationkey')
            .innerJoin('nation as n2', 'n2.n_nationkey', 'c_nationkey')
            .select([
              'n1.n_name as supp_nation',
              'n2.n_name as cust_nation',
              yearOf('l_shipdate').as('l_year'),
              revenue.as('volume'),
            ])
            .where((or) =>
              or.or([
                or.and([or('n1.n_name', '=', 'FRANCE'), or('n2.n_name', '=', 'GERMANY')]),
                or.and([or('n1.n_name', '=', 'GERMANY'), or('n2.n_name', '=', 'FRANCE')]),
              ]),
            )
            .where((between) => between.between('l_shipdate', '1995-01-01', '1996-12-31'))
            .as('shipping'),
        )
        .select((eb) => ['supp_nation', 'cust_nation', 'l_year', eb.fn.sum('volume').as('revenue')])
        .groupBy(['supp_nation', 'cust_nation', 'l_year'])
        .orderBy('supp_nation')
        .orderBy('cust_nation')
        .orderBy('l_year'),
  },
  {
    name: 'Q8 national market share',
    build: (db) =>
      db
        .selectFrom((eb) =>
          eb
            .selectFrom('part')
            .innerJoin('lineitem', 'l_partkey', 'p_partkey')
            .innerJoin('supplier', 's_suppkey', 'l_suppkey')
            .innerJoin('orders', 'o_orderkey', 'l_orderkey')
            .innerJoin('customer', 'c_custkey', 'o_custkey')
            .innerJoin('nation as n1', 'n1.n_nationkey', 'c_nationkey')
            .innerJoin('region', 'r_regionkey', 'n1.n_regionkey')
            .innerJoin('nation as n2', 'n2.n_nationkey', 's_nationkey')
            .select([
              yearOf('o_orderdate').as('o_year'),
              revenue.as('volume'),
              'n2.n_name as nation',
            ])
            .where('r_name', '=', 'AMERICA')
            .where('o_orderdate', '>=', '1995-01-01')
            .where('o_orderdate', '<=', '1996-12-31')
            .where('p_type', '=', 'ECONOMY ANODIZED STEEL')
            .as('all_nations'),
        )
        .select((eb) => [
          'o_year',
          eb(
            eb.fn.sum(eb.case().when('nation', '=', 'BRAZIL').then(eb.ref('volume')).else(0).end()),
            '/',
            eb.fn.sum('volume'),
          ).as('mkt_share'),
        ])
        .groupBy('o_year')
        .orderBy('o_year'),
  },
]
