import Testing

/// Tests on real processes. One after the other, so that at most one stack runs at a time.
@Suite(.serialized) enum StackTests {}
