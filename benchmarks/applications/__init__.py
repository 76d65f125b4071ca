"""What is served while we measure; these modules run in the peers' environments and need nothing but the peer."""
