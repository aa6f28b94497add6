/** A star: one table of facts, four of dimensions. Money is in whole cents. */
export const schema = `
  create table customer (
    c_custkey integer primary key, c_name text not null, c_city text not null,
    c_nation text not null, c_region text not null, c_mktsegment text not null);
  create table supplier (
    s_suppkey integer primary key, s_name text not null, s_city text not null,
    s_nation text not null, s_region text not null);
  create table part (
    p_partkey integer primary key, p_name text not null, p_mfgr text not null,
    p_category text not null, p_brand1 text not null, p_color text not null,
    p_size integer not null);
  create table date (
    d_datekey integer primary key, d_date text not null, d_year integer not null,
    d_yearmonthnum integer not null, d_yearmonth text not null, d_weeknuminyear integer not null);
  create table lineorder (
    lo_orderkey integer not null, lo_linenumber integer not null,
    lo_custkey integer not null references customer, lo_partkey integer not null references part,
    lo_suppkey integer not null references supplier, lo_orderdate integer not null references date,
    lo_orderpriority text not null, lo_quantity integer not null,
    lo_extendedprice integer not null, lo_discount integer not null, lo_revenue integer not null,
    lo_supplycost integer not null, lo_shipmode text not null,
    primary key (lo_orderkey, lo_linenumber));
`

/** Made after the rows, which is quicker. */
export const indexes = `
  create index lineorder_date on lineorder (lo_orderdate);
  create index lineorder_customer on lineorder (lo_custkey);
  create index lineorder_supplier on lineorder (lo_suppkey);
  create index lineorder_part on lineorder (lo_partkey);
`
