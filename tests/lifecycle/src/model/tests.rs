//! The model against what was seen on the real Envoy 1.40 with a small probe filter.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::*;

/// What the probe is told, in one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Head(Side, bool),
    Body(Side, usize, bool),
    Trailers(Side),
    Tick,
    Log,
    Delete,
}

use Told::{Body, Delete, Head, Log, Tick, Trailers};

type Script = Rc<dyn Fn(&Abi, &Told) -> Action>;

struct Probe {
    abi: Abi,
    told: Rc<RefCell<Vec<Told>>>,
    script: Script,
}

impl Probe {
    fn hear(&mut self, told: Told) -> Action {
        self.told.borrow_mut().push(told.clone());
        (self.script)(&self.abi, &told)
    }
}

impl Vm for Probe {
    fn create(&mut self, _context: u32, _root: u32) {}

    fn configure(&mut self, _root: u32, _size: usize) -> bool {
        self.abi.set_tick_period(1000);
        true
    }

    fn headers(&mut self, _stream: u32, side: Side, _count: usize, end: bool) -> Action {
        self.hear(Head(side, end))
    }

    fn body(&mut self, _stream: u32, side: Side, size: usize, end: bool) -> Action {
        self.hear(Body(side, size, end))
    }

    fn trailers(&mut self, _stream: u32, side: Side, _count: usize) -> Action {
        self.hear(Trailers(side))
    }

    fn tick(&mut self, _root: u32) {
        self.hear(Tick);
    }

    fn call_response(&mut self, _context: u32, _token: u32, _headers: usize, _size: usize) {}

    fn log(&mut self, _stream: u32) {
        self.hear(Log);
    }

    fn done(&mut self, _context: u32) -> bool {
        true
    }

    fn delete(&mut self, _context: u32) {
        self.hear(Delete);
    }
}

struct World {
    proxy: Proxy<'static>,
    told: Rc<RefCell<Vec<Told>>>,
    id: u32,
}

const LIMIT: usize = 64 * 1024;

/// One stream, whose filter does as the script says.
fn world(flag: bool, script: impl Fn(&Abi, &Told) -> Action + 'static) -> World {
    let setup = Setup {
        now_ns: 0,
        workers: 1,
        stop_iteration: flag,
        buffer_limit: LIMIT,
        clusters: Vec::new(),
        env: BTreeMap::new(),
    };
    let told = Rc::new(RefCell::new(Vec::new()));
    let (heard, script): (_, Script) = (Rc::clone(&told), Rc::new(script));
    let make =
        move |abi: Abi| -> Box<dyn Vm> { Box::new(Probe { abi, told: Rc::clone(&heard), script: Rc::clone(&script) }) };
    let mut proxy = Proxy::new(setup, Box::new(make));
    assert!(proxy.configure(b"{}"));
    let id = proxy.open(0, BTreeMap::new());
    World { proxy, told, id }
}

impl World {
    fn post(&mut self) {
        self.proxy.request_head(self.id, Fields::of(&[(":method", "POST"), (":path", "/"), ("x", "1")]), false);
    }

    fn answer(&mut self) {
        self.proxy.response_head(self.id, Fields::of(&[(":status", "200"), ("content-length", "4")]), false);
    }

    fn stream(&self) -> Stream {
        self.proxy.host().streams[&self.id].clone()
    }

    fn upstream(&self) -> Received {
        self.stream().request.received
    }

    fn client(&self) -> Received {
        self.stream().response.received
    }

    fn told(&self) -> Vec<Told> {
        std::mem::take(&mut self.told.borrow_mut())
    }
}

use Action::{Continue, Pause};
use Side::{Request, Response};

#[test]
fn without_the_flag_a_held_head_holds_everything_and_hangs() {
    let mut world = world(false, |_, told| if matches!(told, Head(..)) { Pause } else { Continue });
    world.post();
    world.proxy.frame(world.id, Request, b"body", true);
    world.proxy.wait(300_000);
    assert_eq!(world.told().into_iter().filter(|t| *t != Tick).collect::<Vec<_>>(), [Head(Request, false)]);
    assert_eq!(world.upstream(), Received::default());
}

#[test]
fn with_the_flag_bodies_come_while_the_head_is_held_and_add_up() {
    let mut world = world(true, |abi, told| match told {
        Head(Request, _) | Body(Request, _, false) => Pause,
        Body(Request, size, true) => {
            assert_eq!(abi.buffer(BufferKind::Body(Request), 0, usize::MAX).unwrap().len(), *size);
            abi.set_header(Request, "x", b"2").unwrap();
            abi.set_buffer(Request, 0, *size, b"new").unwrap();
            Continue
        }
        _ => Continue,
    });
    world.post();
    for frame in [&[b'a'; 31][..], &[b'b'; 31], &[b'c'; 31]] {
        world.proxy.frame(world.id, Request, frame, false);
        assert_eq!(world.upstream(), Received::default());
    }
    world.proxy.frame(world.id, Request, b"", true);
    let sizes = [31, 62, 93].map(|n| Body(Request, n, false));
    assert_eq!(world.told()[1..], [&sizes[..], &[Body(Request, 93, true)]].concat());
    let upstream = world.upstream();
    assert_eq!((upstream.body.as_slice(), upstream.ended), (&b"new"[..], true));
    assert_eq!(upstream.head.unwrap().text("x").unwrap(), "2");
}

#[test]
fn with_trailers_no_body_callback_is_the_last() {
    let mut world = world(true, |_, told| match told {
        Head(Request, _) | Body(Request, ..) => Pause,
        _ => Continue,
    });
    world.post();
    world.proxy.frame(world.id, Request, b"uninspected", false);
    world.proxy.end_with_trailers(world.id, Request, Fields::of(&[("t", "1")]));
    assert_eq!(world.told()[1..], [Body(Request, 11, false), Trailers(Request)]);
    let upstream = world.upstream();
    assert_eq!(
        (upstream.body.as_slice(), upstream.ended, upstream.trailers.is_some()),
        (&b"uninspected"[..], true, true)
    );
}

#[test]
fn headers_are_out_of_reach_once_they_went_on() {
    let mut world = world(false, |abi, told| {
        if let Body(side, ..) = told {
            assert_eq!(abi.set_header(*side, "x", b"2"), Err(Status::BadArgument));
            assert_eq!(abi.header_map(MapKind::Head(*side)), Err(Status::BadArgument));
        }
        Continue
    });
    world.post();
    world.proxy.frame(world.id, Request, b"body", true);
    world.answer();
    world.proxy.frame(world.id, Response, b"body", true);
    assert_eq!(world.client().head.unwrap().text("x"), None);
    assert_eq!(world.proxy.host().mistakes.len(), 4);
}

#[test]
fn buffers_are_replaced_whole_or_added_to() {
    let mut world = world(false, |abi, told| {
        if let Body(Request, ..) = told {
            assert_eq!(abi.set_buffer(Request, 0, 2, b"X"), Err(Status::BadArgument));
            assert_eq!(abi.set_buffer(Request, 1, 2, b"X"), Err(Status::BadArgument));
            abi.set_buffer(Request, 4, 0, b"end").unwrap();
            abi.set_buffer(Request, 0, 0, b"front-").unwrap();
            assert_eq!(abi.buffer(BufferKind::Body(Request), 6, 4).unwrap(), b"body");
        }
        Continue
    });
    world.post();
    world.proxy.frame(world.id, Request, b"body", true);
    assert_eq!(world.upstream().body, b"front-bodyend");
}

#[test]
fn a_body_over_the_limit_is_answered_through_the_filters_own_callbacks() {
    let mut world = world(true, |_, told| match told {
        Head(Request, _) | Body(Request, ..) => Pause,
        _ => Continue,
    });
    world.post();
    world.proxy.frame(world.id, Request, &[b'x'; 65_451], false);
    world.proxy.frame(world.id, Request, &[b'x'; 65_452], false);
    world.proxy.frame(world.id, Request, &[b'x'; 65_452], true);
    // The frame that is too much is still told; what comes after the answer is not.
    let expected =
        [Body(Request, 65_451, false), Body(Request, 130_903, false), Head(Response, false), Body(Response, 17, true)];
    assert_eq!(world.told()[1..], [&expected[..], &[Log, Delete]].concat());
    assert_eq!(world.client().head.unwrap().text(":status").unwrap(), "413");
    assert_eq!(world.upstream(), Received::default());
}

fn refusal() -> LocalReply {
    LocalReply { headers: Fields::of(&[("x-why", "no")]), ..LocalReply::plain(403, "why", "no") }
}

#[test]
fn a_local_reply_stops_the_request_and_passes_the_response_callbacks() {
    let mut world = world(false, |abi, told| {
        if let Body(Request, ..) = told {
            abi.send_local_response(refusal()).unwrap();
            assert_eq!(abi.send_local_response(refusal()), Err(Status::BadArgument));
        }
        // Whatever the filter answers: it counts no more.
        Continue
    });
    world.post();
    world.proxy.frame(world.id, Request, b"secret", true);
    assert_eq!(
        world.told()[1..],
        [Body(Request, 6, true), Head(Response, false), Body(Response, 2, true), Log, Delete]
    );
    let client = world.client();
    assert_eq!(client.head.unwrap().text("x-why").unwrap(), "no");
    assert_eq!((client.body.as_slice(), client.ended), (&b"no"[..], true));
    let upstream = world.upstream();
    assert_eq!((upstream.body.len(), upstream.reset, upstream.ended), (0, true, false), "the head went, nothing else");
}

#[test]
fn a_local_reply_to_an_answer_replaces_its_head_or_cuts_the_client_off() {
    for late in [false, true] {
        let mut world = world(false, move |abi, told| {
            if matches!((told, late), (Head(Response, _), false) | (Body(Response, ..), true)) {
                abi.send_local_response(refusal()).unwrap();
            }
            Continue
        });
        world.post();
        world.proxy.frame(world.id, Request, b"", true);
        world.answer();
        world.proxy.frame(world.id, Response, b"body", true);
        let client = world.client();
        assert_eq!(client.reset, late);
        assert_eq!(client.head.unwrap().text(":status").unwrap(), if late { "200" } else { "403" });
        assert_eq!(client.body.as_slice(), if late { &b""[..] } else { b"no" });
        let told = world.told();
        assert_eq!(
            told.iter().filter(|t| matches!(t, Head(Response, _))).count(),
            1,
            "not told of its own reply: {told:?}"
        );
    }
}

/// A filter that holds the head until a tick, and the body until its end; `later` lets what trailers ended go on with
/// another tick, rather than by its answer.
fn resuming(later: bool) -> World {
    let held = Rc::new(RefCell::new(0));
    world(false, move |abi, told| match told {
        Head(Request, _) | Body(Request, _, false) => Pause,
        Trailers(Request) if later => Pause,
        Tick => {
            *held.borrow_mut() += 1;
            if *held.borrow() == 1 || later && *held.borrow() == 2 {
                abi.set_effective_context(3).unwrap();
                abi.continue_stream(Request).unwrap();
            }
            Continue
        }
        _ => Continue,
    })
}

#[test]
fn a_body_that_waited_behind_the_head_is_lost_unless_it_is_let_go_by_a_call_of_its_own() {
    for later in [false, true] {
        let mut world = resuming(later);
        world.post();
        world.proxy.frame(world.id, Request, b"body", false);
        world.proxy.end_with_trailers(world.id, Request, Fields::of(&[("t", "1")]));
        world.proxy.wait(2_500);
        let upstream = world.upstream();
        assert!(upstream.ended && upstream.trailers.is_some());
        assert_eq!(upstream.body.as_slice(), if later { &b"body"[..] } else { b"" });
        // Going on from inside going on, Envoy starts at the filter again, and tells the trailers twice.
        let told = world.told().iter().filter(|t| **t == Trailers(Request)).count();
        assert_eq!(told, if later { 1 } else { 2 });
    }
}

#[test]
fn bytes_that_were_stopped_before_the_filter_are_told_once_it_goes_on() {
    let mut world = resuming(false);
    world.post();
    world.proxy.frame(world.id, Request, b"bo", false);
    world.proxy.frame(world.id, Request, b"dy", true);
    world.proxy.wait(1_500);
    assert_eq!(world.told()[1..], [Tick, Body(Request, 4, true)]);
    assert_eq!(world.upstream().body, b"body");
}

#[test]
fn a_stream_that_a_filter_in_front_answers_is_only_logged() {
    let mut world = world(true, |_, _| Pause);
    world.proxy.earlier_filter_answers(world.id, Fields::of(&[(":method", "POST")]), 403);
    assert_eq!(world.told(), [Log, Delete]);
    assert!(world.client().ended);
}

#[test]
fn every_end_is_logged_once() {
    let ends: [fn(&mut World); 4] = [
        |w| w.proxy.client_abort(w.id),
        |w| w.proxy.upstream_reset(w.id),
        |w| w.proxy.time_out(w.id),
        |w| {
            w.answer();
            w.proxy.upstream_reset(w.id);
        },
    ];
    for end in ends {
        let mut world = world(false, |_, _| Continue);
        world.post();
        world.proxy.frame(world.id, Request, b"body", true);
        end(&mut world);
        world.proxy.client_abort(world.id);
        world.proxy.frame(world.id, Request, b"late", true);
        let told = world.told();
        assert_eq!(told.iter().filter(|t| **t == Log).count(), 1, "{told:?}");
        assert_eq!(told.last(), Some(&Delete));
        assert!(world.upstream().reset);
    }
}

#[test]
fn the_store_knows_versions() {
    let world = world(true, |_, _| Continue);
    let abi = Abi::new(Rc::clone(&world.proxy.host), 0);
    assert_eq!(abi.shared_data("k"), Err(Status::NotFound));
    abi.set_shared_data("k", b"1", 0).unwrap();
    let (_, version) = abi.shared_data("k").unwrap();
    abi.set_shared_data("k", b"2", version).unwrap();
    assert_eq!(abi.set_shared_data("k", b"3", version), Err(Status::CasMismatch));
    abi.set_shared_data("k", b"4", 0).unwrap();
    assert_eq!(abi.shared_data("k").unwrap().0, b"4");
}
