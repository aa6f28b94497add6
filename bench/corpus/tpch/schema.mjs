/** Decimals are REAL and dates ISO texts, as an application on SQLite keeps them. */
export const schema = `
  create table region (
    r_regionkey integer primary key, r_name text not null, r_comment text);
  create table nation (
    n_nationkey integer primary key, n_name text not null,
    n_regionkey integer not null references region, n_comment text);
  create table supplier (
    s_suppkey integer primary key, s_name text not null, s_address text not null,
    s_nationkey integer not null references nation, s_phone text not null, s_acctbal real not null,
    s_comment text not null);
  create table customer (
    c_custkey integer primary key, c_name text not null, c_address text not null,
    c_nationkey integer not null references nation, c_phone text not null, c_acctbal real not null,
    c_mktsegment text not null, c_comment text not null);
  create table part (
    p_partkey integer primary key, p_name text not null, p_mfgr text not null, p_brand text not null,
    p_type text not null, p_size integer not null, p_container text not null,
    p_retailprice real not null, p_comment text not null);
  create table partsupp (
    ps_partkey integer not null references part, ps_suppkey integer not null references supplier,
    ps_availqty integer not null, ps_supplycost real not null, ps_comment text not null,
    primary key (ps_partkey, ps_suppkey));
  create table orders (
    o_orderkey integer primary key, o_custkey integer not null references customer,
    o_orderstatus text not null, o_totalprice real not null, o_orderdate text not null,
    o_orderpriority text not null, o_clerk text not null, o_shippriority integer not null,
    o_comment text not null);
  create table lineitem (
    l_orderkey integer not null references orders, l_linenumber integer not null,
    l_partkey integer not null, l_suppkey integer not null, l_quantity real not null,
    l_extendedprice real not null, l_discount real not null, l_tax real not null,
    l_returnflag text not null, l_linestatus text not null, l_shipdate text not null,
    l_commitdate text not null, l_receiptdate text not null, l_shipinstruct text not null,
    l_shipmode text not null, l_comment text not null,
    primary key (l_orderkey, l_linenumber));
`

/** Made after the rows, which is quicker. */
export const indexes = `
  create index supplier_nation on supplier (s_nationkey);
  create index customer_nation on customer (c_nationkey);
  create index partsupp_supplier on partsupp (ps_suppkey);
  create index orders_customer on orders (o_custkey);
  create index orders_date on orders (o_orderdate);
  create index lineitem_part on lineitem (l_partkey, l_suppkey);
  create index lineitem_ship on lineitem (l_shipdate);
`
