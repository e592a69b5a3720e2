//! The tables of identifiers, by where they are given.

mod america;
mod asia;
mod central_europe;
mod eastern_europe;
mod elsewhere;
mod germany;
mod money;
mod northern_europe;
mod southern_europe;
mod things;
mod us;
mod vat;

use super::Row;

pub(in super::super) use money::is_country;

pub(super) static TABLES: &[&[Row]] = &[
    us::ROWS,
    america::ROWS,
    northern_europe::ROWS,
    germany::ROWS,
    central_europe::ROWS,
    southern_europe::ROWS,
    eastern_europe::ROWS,
    vat::ROWS,
    asia::ROWS,
    elsewhere::ROWS,
    money::ROWS,
    things::ROWS,
];
