package launcher

// NeedsAllVectors is for tests that import tools.
var NeedsAllVectors = needsAllVectors
