//! The proxy as a scenario drives it: its clock, its VMs, the two ends of each stream, call-outs, configurations.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::host::{Call, VmState};
use super::{Abi, Fields, Host, LocalReply, Side, Stream, Vm};

/// Makes a VM with the filter in it.
pub type MakeVm<'m> = Box<dyn Fn(Abi) -> Box<dyn Vm> + 'm>;

/// How a proxy is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Nanoseconds since the epoch.
    pub now_ns: u64,
    /// Workers, each with a VM of its own.
    pub workers: usize,
    /// `allow_on_headers_stop_iteration`.
    pub stop_iteration: bool,
    /// `per_connection_buffer_limit_bytes`.
    pub buffer_limit: usize,
    /// Clusters that call-outs can go to.
    pub clusters: Vec<String>,
    /// Environment variables of the VMs.
    pub env: BTreeMap<String, String>,
}

/// A proxy with one filter.
pub struct Proxy<'m> {
    pub(super) host: Rc<RefCell<Host>>,
    vms: Vec<Box<dyn Vm>>,
    workers: usize,
    make: MakeVm<'m>,
    last_context: u32,
    live: Vec<u32>,
}

impl<'m> Proxy<'m> {
    /// A proxy whose workers run what `make` makes; without a configuration yet.
    pub fn new(setup: Setup, make: MakeVm<'m>) -> Self {
        let host = Host {
            now_ns: setup.now_ns,
            clusters: setup.clusters,
            buffer_limit: setup.buffer_limit,
            stop_iteration: setup.stop_iteration,
            env: setup.env,
            ..Host::default()
        };
        let mut proxy = Self {
            host: Rc::new(RefCell::new(host)),
            vms: Vec::new(),
            workers: setup.workers,
            make,
            last_context: 0,
            live: Vec::new(),
        };
        for _ in 0..setup.workers {
            proxy.add_vm(false);
        }
        proxy
    }

    /// What filters' calls touched.
    pub fn host(&self) -> std::cell::Ref<'_, Host> {
        self.host.borrow()
    }

    fn add_vm(&mut self, canary: bool) -> usize {
        let number = self.vms.len();
        self.host.borrow_mut().vms.push(VmState { canary, ..VmState::default() });
        let vm = (self.make)(Abi::new(Rc::clone(&self.host), number));
        self.vms.push(vm);
        number
    }

    fn next_context(&mut self) -> u32 {
        self.last_context += 1;
        self.last_context
    }

    /// Calls a filter on behalf of a context.
    pub(super) fn call<R>(&mut self, vm: usize, context: u32, f: impl FnOnce(&mut dyn Vm) -> R) -> R {
        self.host.borrow_mut().vms[vm].effective = context;
        f(self.vms[vm].as_mut())
    }

    /// A call whose answer is no flow of a stream: a local reply sent from it stops nothing else.
    fn notify(&mut self, vm: usize, context: u32, f: impl FnOnce(&mut dyn Vm)) {
        self.call(vm, context, f);
        self.host.borrow_mut().vms[vm].stop_next = false;
        self.do_deferred(vm);
    }

    /// A configuration: tried in a VM of its own first, and told to the workers if it is taken there. Streams that
    /// are under way stay with the root context that they started with.
    pub fn configure(&mut self, configuration: &[u8]) -> bool {
        let canary = self.add_vm(true);
        if !self.configure_vm(canary, configuration).1 {
            return false;
        }
        for vm in 0..self.workers {
            let (root, taken) = self.configure_vm(vm, configuration);
            assert!(taken, "the canary took a configuration that a worker refuses");
            match self.live.get_mut(vm) {
                Some(live) => *live = root,
                None => self.live.push(root),
            }
        }
        self.drop_roots();
        true
    }

    fn configure_vm(&mut self, vm: usize, configuration: &[u8]) -> (u32, bool) {
        let root = self.next_context();
        {
            let state = &mut self.host.borrow_mut().vms[vm];
            state.roots.push(root);
            state.configuration = Some(configuration.to_vec());
        }
        self.notify(vm, root, |f| f.create(root, 0));
        let taken = self.call(vm, root, |f| f.configure(root, configuration.len()));
        self.host.borrow_mut().vms[vm].configuration = None;
        self.do_deferred(vm);
        (root, taken)
    }

    /// Old roots go once their last stream is over.
    fn drop_roots(&mut self) {
        for vm in 0..self.workers {
            let unused: Vec<u32> = {
                let host = self.host.borrow();
                let used = |root: u32| host.streams.values().any(|s| !s.over && s.root == root);
                let live = self.live.get(vm);
                host.vms[vm].roots.iter().copied().filter(|r| Some(r) != live && !used(*r)).collect()
            };
            for root in unused {
                self.call(vm, root, |f| f.done(root));
                self.notify(vm, root, |f| f.delete(root));
                let host = &mut *self.host.borrow_mut();
                host.vms[vm].roots.retain(|r| *r != root);
                host.vms[vm].ticks.remove(&root);
                host.calls.retain(|c| c.context != root);
            }
        }
    }

    /// A stream that a worker is to serve; nothing of it came yet.
    pub fn open(&mut self, vm: usize, properties: BTreeMap<String, Vec<u8>>) -> u32 {
        let id = self.next_context();
        let root = *self.live.get(vm).unwrap_or_else(|| panic!("worker {vm} has no configuration"));
        let stream = Stream { vm, root, properties, ..Stream::default() };
        self.host.borrow_mut().streams.insert(id, stream);
        id
    }

    fn is_over(&self, id: u32) -> bool {
        let host = &mut *self.host.borrow_mut();
        host.stream(id).over
    }

    /// The client's head.
    pub fn request_head(&mut self, id: u32, head: Fields, end: bool) {
        let (vm, root) = {
            let host = &mut *self.host.borrow_mut();
            let stream = host.stream(id);
            stream.is_head = head.text(":method").as_deref() == Some("HEAD");
            stream.created = true;
            stream.request.sent.head = Some(head.clone());
            stream.request.sent.ended = end;
            stream.request.head = Some(head);
            stream.request.complete = end;
            (stream.vm, stream.root)
        };
        self.notify(vm, id, |f| f.create(id, root));
        self.head(id, Side::Request, end);
        self.settle();
    }

    /// Bytes of the client's body, or of the upstream's.
    pub fn frame(&mut self, id: u32, side: Side, bytes: &[u8], end: bool) {
        if self.is_over(id) {
            return;
        }
        {
            let host = &mut *self.host.borrow_mut();
            let half = host.stream(id).half(side);
            half.sent.body.extend_from_slice(bytes);
            half.sent.ended |= end;
            half.complete |= end;
        }
        self.data(id, side, bytes.to_vec(), end);
        self.settle();
    }

    /// Trailers, from either end.
    pub fn end_with_trailers(&mut self, id: u32, side: Side, trailers: Fields) {
        if self.is_over(id) {
            return;
        }
        {
            let host = &mut *self.host.borrow_mut();
            let half = host.stream(id).half(side);
            half.sent.trailers = Some(trailers.clone());
            half.sent.ended = true;
            half.trailers = Some(trailers);
            half.complete = true;
        }
        self.trailers(id, side);
        self.settle();
    }

    /// The upstream's head.
    pub fn response_head(&mut self, id: u32, head: Fields, end: bool) {
        if self.is_over(id) {
            return;
        }
        {
            let host = &mut *self.host.borrow_mut();
            let stream = host.stream(id);
            assert!(stream.request.received.head.is_some(), "an answer to a request that never reached the upstream");
            assert!(stream.response.head.is_none(), "a second answer");
            stream.details = Some("via_upstream".to_owned());
            stream.response.sent.head = Some(head.clone());
            stream.response.sent.ended = end;
            stream.response.head = Some(head);
            stream.response.complete = end;
        }
        self.head(id, Side::Response, end);
        self.settle();
    }

    /// An interim answer: no filter of proxy-wasm's is told.
    pub fn informational(&mut self, id: u32, status: u16) {
        let host = &mut *self.host.borrow_mut();
        let stream = host.stream(id);
        stream.response.sent.informational.push(status);
        stream.response.received.informational.push(status);
    }

    /// The route was chosen anew, after the filter's last word on the request: the filter can see it from now on.
    pub fn rerouted(&mut self, id: u32, cluster: &str) {
        let host = &mut *self.host.borrow_mut();
        host.stream(id).properties.insert("xds/cluster_name".to_owned(), cluster.as_bytes().to_vec());
    }

    /// The upstream is gone.
    pub fn upstream_reset(&mut self, id: u32) {
        if self.is_over(id) {
            return;
        }
        let answered = self.host.borrow_mut().stream(id).response.head.is_some();
        if answered {
            self.cut_off(id);
        } else {
            let body =
                "upstream connect error or disconnect/reset before headers. reset reason: connection termination";
            self.local_reply(id, LocalReply::plain(503, "upstream_reset_before_response_started", body));
        }
        self.settle();
    }

    /// Time is up for the stream: the upstream did not answer, or nothing moved.
    pub fn time_out(&mut self, id: u32) {
        if !self.is_over(id) {
            self.local_reply(id, LocalReply::plain(504, "response_timeout", "upstream request timeout"));
            self.settle();
        }
    }

    /// The client is gone.
    pub fn client_abort(&mut self, id: u32) {
        if !self.is_over(id) {
            self.host.borrow_mut().stream(id).ending = true;
            self.settle();
        }
    }

    /// A filter in front answers: ours never sees the request.
    pub fn earlier_filter_answers(&mut self, id: u32, head: Fields, status: u16) {
        {
            let host = &mut *self.host.borrow_mut();
            let stream = host.stream(id);
            stream.request.sent.head = Some(head.clone());
            stream.request.head = Some(head);
        }
        self.local_reply(id, LocalReply::plain(status, "earlier_filter", "no"));
        self.settle();
    }

    /// Time passes: timers fire and call-outs run out of theirs.
    pub fn wait(&mut self, ms: u64) {
        let until = self.host.borrow().now_ns + ms * 1_000_000;
        loop {
            let due = {
                let host = self.host.borrow();
                let ticks =
                    host.vms.iter().enumerate().flat_map(|(vm, state)| {
                        state.ticks.iter().map(move |(root, (_, at))| (*at, Due::Tick(vm, *root)))
                    });
                let calls = host.calls.iter().map(|c| (c.deadline_ns, Due::Call(c.token)));
                ticks.chain(calls).min_by_key(|(at, _)| *at).filter(|(at, _)| *at <= until)
            };
            let Some((at, due)) = due else { break };
            self.host.borrow_mut().now_ns = at;
            match due {
                Due::Tick(vm, root) => {
                    if let Some((period, next)) = self.host.borrow_mut().vms[vm].ticks.get_mut(&root) {
                        *next = at + *period;
                    }
                    self.notify(vm, root, |f| f.tick(root));
                }
                Due::Call(token) => {
                    let head = Fields::of(&[(":status", "504"), ("content-type", "text/plain")]);
                    self.call_ends(Some(token), Some((head, b"upstream request timeout".to_vec())));
                }
            }
            self.settle();
        }
        self.host.borrow_mut().now_ns = until;
    }

    /// The oldest call-out under way.
    pub fn outstanding_call(&self) -> Option<Call> {
        self.host.borrow().calls.first().cloned()
    }

    /// A call-out (the oldest, unless named) is answered, or fails.
    pub fn call_ends(&mut self, token: Option<u32>, answer: Option<(Fields, Vec<u8>)>) {
        let call = {
            let calls = &mut self.host.borrow_mut().calls;
            let at = calls.iter().position(|c| token.is_none_or(|t| t == c.token));
            at.map(|at| calls.remove(at)).unwrap_or_else(|| panic!("no call-out is under way"))
        };
        let (headers, size) = answer.as_ref().map_or((0, 0), |(head, body)| (head.0.len(), body.len()));
        self.host.borrow_mut().vms[call.vm].answer = answer;
        self.notify(call.vm, call.context, |f| f.call_response(call.context, call.token, headers, size));
        self.host.borrow_mut().vms[call.vm].answer = None;
        self.settle();
    }

    /// Streams that ended are logged and deleted.
    fn settle(&mut self) {
        loop {
            let next = {
                let host = self.host.borrow();
                host.streams
                    .iter()
                    .find(|(_, s)| s.ending && !s.over)
                    .map(|(id, s)| (*id, s.vm, s.root, s.created, s.logged))
            };
            let Some((id, vm, root, created, logged)) = next else { break };
            if !created {
                self.host.borrow_mut().stream(id).created = true;
                self.notify(vm, id, |f| f.create(id, root));
            }
            if !logged {
                self.notify(vm, id, |f| f.log(id));
                self.call(vm, id, |f| f.done(id));
                self.notify(vm, id, |f| f.delete(id));
            }
            let host = &mut *self.host.borrow_mut();
            let stream = host.stream(id);
            stream.over = true;
            let answered = stream.response.sent.ended;
            let received = &mut stream.request.received;
            received.reset = received.head.is_some() && !(received.ended && answered);
        }
        self.drop_roots();
    }
}

#[derive(Clone, Copy)]
enum Due {
    Tick(usize, u32),
    Call(u32),
}
