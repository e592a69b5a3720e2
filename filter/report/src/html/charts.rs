//! Charts over time: stacked bars as inline SVG that is stretched, labels as text that is not.

use maud::{Markup, html};

use crate::model::{Report, SlotOut};
use crate::shown::{compact, grouped, moment, money};

/// One layer of a stack: its name, its colour's class, its value.
type Layer = (&'static str, &'static str, fn(&SlotOut) -> f64);

const HEIGHT: f64 = 160.0;

/// Exchanges, tokens, and cost where there are prices.
pub fn all(report: &Report) -> Markup {
    if report.series.slots.is_empty() {
        return html! { p { "No line says when it was." } };
    }
    let exchanges: &[Layer] = &[
        ("Passed", "c1", |s| s.sums.requests.saturating_sub(s.sums.denied + s.sums.observed) as f64),
        ("Denied", "c2", |s| s.sums.denied as f64),
        ("Denial only recorded", "c3", |s| s.sums.observed as f64),
        ("Without a record", "c4", |s| s.unrecorded as f64),
    ];
    let tokens: &[Layer] =
        &[("In", "c1", |s| s.sums.input_tokens as f64), ("Out", "c5", |s| s.sums.output_tokens as f64)];
    let cost: &[Layer] = &[("Cost", "c1", |s| s.sums.nanos as f64 / 1e9)];
    html! {
        div class="charts" {
            (chart(report, "Exchanges", "exchanges", exchanges, false))
            (chart(report, "Tokens", "tokens", tokens, false))
            @if let Some(currency) = &report.currency { (chart(report, "Cost", &crate::shown::text(currency), cost, true)) }
        }
    }
}

fn chart(report: &Report, title: &str, unit: &str, layers: &[Layer], is_money: bool) -> Markup {
    let slots = &report.series.slots;
    // A layer that is empty throughout would be a colour without a meaning.
    let layers: Vec<&Layer> = layers
        .iter()
        .enumerate()
        .filter(|(i, (_, _, of))| *i == 0 || slots.iter().any(|s| of(s) > 0.0))
        .map(|(_, l)| l)
        .collect();
    let sum = |slot: &SlotOut| layers.iter().map(|(_, _, of)| of(slot)).sum::<f64>();
    let most = slots.iter().map(sum).fold(0.0, f64::max);
    let top = nice(most);
    let step = step(report.series.step_seconds);
    let few = slots.len() < 16;
    let label = format!("{title} {step}: at most {} {unit}", value(most, is_money));
    let shown =
        |at: &str| if report.series.step_seconds < 86_400 { moment(at) } else { at.get(..10).unwrap_or(at).to_owned() };
    let middle = slots.get(slots.len() / 2).filter(|_| slots.len() > 2);
    html! {
        figure {
            figcaption { h3 { (title) } p { (unit) " " (step) } }
            @if layers.len() > 1 {
                ul class="legend" { @for (name, class, _) in &layers { li { span class={ "swatch " (class) } {} (name) } } }
            }
            div class={ "plot" @if few { " few" } } {
                div class="y" aria-hidden="true" { span { (compact(top)) } span { (compact(top / 2.0)) } span { "0" } }
                svg role="img" aria-label=(label) viewBox={ "0 0 " (slots.len() * 10) " " (HEIGHT) } preserveAspectRatio="none" {
                    line class="grid" x1="0" x2=(slots.len() * 10) y1="0.5" y2="0.5" {}
                    line class="grid" x1="0" x2=(slots.len() * 10) y1=(HEIGHT / 2.0) y2=(HEIGHT / 2.0) {}
                    @for (i, slot) in slots.iter().enumerate() { (bar(i, slot, &layers, top, &shown(&slot.start), is_money)) }
                    line class="axis" x1="0" x2=(slots.len() * 10) y1=(HEIGHT) y2=(HEIGHT) {}
                }
                div class="x" aria-hidden="true" {
                    @if let Some(first) = slots.first() { span { (shown(&first.start)) } }
                    @if let Some(middle) = middle { span { (shown(&middle.start)) } }
                    @if let Some(last) = slots.last().filter(|_| slots.len() > 1) { span { (shown(&last.start)) } }
                }
            }
            details {
                summary { "Figures of this chart" }
                div class="scroll" tabindex="0" role="region" aria-label={ (title) ", figures" } {
                    table {
                        thead { tr { th scope="col" { "From (UTC)" } @for (name, _, _) in &layers { th scope="col" class="number" { (name) } } } }
                        tbody { @for slot in slots.iter().filter(|slot| sum(slot) > 0.0) {
                            tr { th scope="row" { (moment(&slot.start)) } @for (_, _, of) in &layers { td class="number" { (value(of(slot), is_money)) } } }
                        } }
                    }
                }
            }
        }
    }
}

/// The stack of one slot, with what it is in words for whoever points at it.
fn bar(i: usize, slot: &SlotOut, layers: &[&Layer], top: f64, at: &str, is_money: bool) -> Markup {
    let mut from = HEIGHT;
    let mut words = vec![format!("{at} UTC")];
    let mut rects = Vec::new();
    for (name, class, of) in layers {
        let amount = of(slot);
        if amount <= 0.0 {
            continue;
        }
        words.push(format!("{name}: {}", value(amount, is_money)));
        // What is there is seen, however little it is.
        let height = (amount / top * HEIGHT).max(1.0);
        from = (from - height).max(0.0);
        rects.push((class, from, height));
    }
    html! {
        @if !rects.is_empty() {
            g {
                title { (words.join("\n")) }
                @for (class, y, height) in rects {
                    rect class=(class) x=(format!("{:.1}", i as f64 * 10.0 + 1.0)) y=(format!("{y:.2}")) width="8" height=(format!("{height:.2}")) {}
                }
            }
        }
    }
}

fn value(amount: f64, is_money: bool) -> String {
    if is_money { money(&amount.to_string()) } else { grouped(amount as u64) }
}

/// The least of 1, 2, 4, 5 or 10 times a power of ten that is not below.
fn nice(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(most.log10().floor());
    [1.0, 2.0, 4.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|top| *top >= most).unwrap_or(most)
}

fn step(seconds: u64) -> &'static str {
    match seconds {
        3_600 => "an hour",
        10_800 => "in three hours",
        21_600 => "in six hours",
        86_400 => "a day",
        604_800 => "a week",
        _ => "in four weeks",
    }
}
