mod source;
fn main() {}
