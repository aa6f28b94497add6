import { sql } from 'kysely'
import { revenue, shifted } from './expressions.mjs'

/** Questions 17 to 22 of TPC-H. */
export const queries17To22 = [
  {
    name: 'Q17 revenue of small orders',
    build: (db) =>
      db
        .selectFrom('lineitem')
        .innerJoin('part', 'p_partkey', 'l_partkey')
        .select(sql`sum(l_extendedprice) / 7.0`.as('avg_yearly'))
        .where('p_brand', '=', 'Brand#23')
        .where('p_container', '=', 'MED BOX')
        .where('l_quantity', '<', (eb) =>
          eb
            .selectFrom('lineitem as same')
            .select(sql`0.2 * avg(same.l_quantity)`.as('few'))
            .whereRef('same.l_partkey', '=', 'p_partkey'),
        ),
  },
  {
    name: 'Q18 large volume customers',
    build: (db) =>
      db
        .selectFrom('customer')
        .innerJoin('orders', 'o_custkey', 'c_custkey')
        .innerJoin('lineitem', 'l_orderkey', 'o_orderkey')
        .select((eb) => [
          'c_name',
          'c_custkey',
          'o_orderkey',
          'o_orderdate',
          'o_totalprice',
          eb.fn.sum('l_quantity').as('quantity'),
        ])
        .where('o_orderkey', 'in', (eb) =>
          eb
            .selectFrom('lineitem')
            .select('l_orderkey')
            .groupBy('l_orderkey')
            .having((sum) => sum.fn.sum('l_quantity'), '>', 300),
        )
        .groupBy(['c_name', 'c_custkey', 'o_orderkey', 'o_orderdate', 'o_totalprice'])
        .orderBy('o_totalprice', 'desc')
        .orderBy('o_orderdate')
        .limit(100),
  },
  {
    name: 'Q19 discounted revenue',
    build: (db) =>
      db
        .selectFrom('lineitem')
        .innerJoin('part', 'p_partkey', 'l_partkey')
        .select((eb) => eb.fn.sum(revenue).as('revenue'))
        .where('l_shipmode', 'in', ['AIR', 'REG AIR'])
        .where('l_shipinstruct', '=', 'DELIVER IN PERSON')
        .where((eb) => {
          const offer = (brand, wrapping, boxes, fewest, sizeMost) =>
            eb.and([
              eb('p_brand', '=', brand),
              eb(
                'p_container',
                'in',
                boxes.map((box) => `${wrapping} ${box}`),
              ),
              eb.between('l_quantity', fewest, fewest + 10),
              eb.between('p_size', 1, sizeMost),
            ])
          return eb.or([
            offer('Brand#12', 'SM', ['CASE', 'BOX', 'PACK', 'PKG'], 1, 5),
            offer('Brand#23', 'MED', ['BAG', 'BOX', 'PKG', 'PACK'], 10, 10),
            offer('Brand#34', 'LG', ['CASE', 'BOX', 'PACK', 'PKG'], 20, 15),
          ])
        }),
  },
  {
    name: 'Q20 promotion of potential parts',
    build: (db) =>
      db
        .selectFrom('supplier')
        .innerJoin('nation', 'n_nationkey', 's_nationkey')
        .select(['s_name', 's_address'])
        .where('s_suppkey', 'in', (eb) =>
          eb
            .selectFrom('partsupp')
            .select('ps_suppkey')
            .where('ps_partkey', 'in', (parts) =>
              parts.selectFrom('part').select('p_partkey').where('p_name', 'like', 'forest%'),
            )
            .where('ps_availqty', '>', (sold) =>
              sold
                .selectFrom('lineitem')
                .select(sql`0.5 * sum(l_quantity)`.as('half'))
                .whereRef('l_partkey', '=', 'ps_partkey')
                .whereRef('l_suppkey', '=', 'ps_suppkey')
                .where('l_shipdate', '>=', '1994-01-01')
                .where('l_shipdate', '<', shifted('1994-01-01', '+1 year')),
            ),
        )
        .where('n_name', '=', 'CANADA')
        .orderBy('s_name'),
  },
  {
    name: 'Q21 suppliers who kept orders waiting',
    build: (db) =>
      db
        .selectFrom('supplier')
        .innerJoin('lineitem as l1', 'l1.l_suppkey', 's_suppkey')
        .innerJoin('orders', 'o_orderkey', 'l1.l_orderkey')
        .innerJoin('nation', 'n_nationkey', 's_nationkey')
        .select((eb) => ['s_name', eb.fn.countAll().as('numwait')])
        .where('o_orderstatus', '=', 'F')
        .whereRef('l1.l_receiptdate', '>', 'l1.l_commitdate')
        .where((eb) =>
          eb.exists(
            eb
              .selectFrom('lineitem as l2')
              .selectAll()
              .whereRef('l2.l_orderkey', '=', 'l1.l_orderkey')
              .whereRef('l2.l_suppkey', '<>', 'l1.l_suppkey'),
          ),
        )
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('lineitem as l3')
                .selectAll()
                .whereRef('l3.l_orderkey', '=', 'l1.l_orderkey')
                .whereRef('l3.l_suppkey', '<>', 'l1.l_suppkey')
                .whereRef('l3.l_receiptdate', '>', 'l3.l_commitdate'),
            ),
          ),
        )
        .where('n_name', '=', 'SAUDI ARABIA')
        .groupBy('s_name')
        .orderBy('numwait', 'desc')
        .orderBy('s_name')
        .limit(100),
  },
  {
    name: 'Q22 customers worth a call',
    build: (db) => {
      const countryCode = sql`substr(c_phone, 1, 2)`
      const codes = ['13', '31', '23', '29', '30', '18', '17']
      return db
        .selectFrom((eb) =>
          eb
            .selectFrom('customer')
            .select([countryCode.as('cntrycode'), 'c_acctbal'])
            .where(countryCode, 'in', codes)
            .where('c_acctbal', '>', (rich) =>
              rich
                .selectFrom('customer')
                .select((avg) => avg.fn.avg('c_acctbal').as('usual'))
                .where('c_acctbal', '>', 0)
                .where(countryCode, 'in', codes),
            )
            .where((idle) =>
              idle.not(
                idle.exists(
                  idle.selectFrom('orders').selectAll().whereRef('o_custkey', '=', 'c_custkey'),
                ),
              ),
            )
            .as('custsale'),
        )
        .select((eb) => [
          'cntrycode',
          eb.fn.countAll().as('numcust'),
          eb.fn.sum('c_acctbal').as('totacctbal'),
        ])
        .groupBy('cntrycode')
        .orderBy('cntrycode')
    },
  },
]
