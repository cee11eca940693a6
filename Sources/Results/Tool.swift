/// What the program calls itself.
public enum Tool {
    public static let name = "rubato"
    public static let version = "0.1.0"
}
