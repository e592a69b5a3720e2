//! Limits that several Envoys share: two of them, one rate-limit service over Limitador's engine, one Redis.

mod exact;
mod examples;
mod modes;
mod native;
mod outage;
mod redis;
mod service;
mod world;
