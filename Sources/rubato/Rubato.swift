@main
struct Rubato {
    static func main() {}
}
