//! Rules with what they find and what they leave alone, and the committed weights.
