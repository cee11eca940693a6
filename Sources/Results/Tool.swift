/// What the program calls itself.
public enum Tool {
    /// As its documents and its messages name it.
    public static let name = "rubato"
    /// Its version (semver.org).
    public static let version = "0.1.0"
}
