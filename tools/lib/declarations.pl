#!/usr/bin/env perl
# What the declarations of Sources must keep, found from their text; run by tools/map. Prints each that does not, as
# FILE:LINE: WHAT, and a line of counts. Exit 1 where there is one, or more long functions than there may be.
#
# - Access: what is public or package is used by another module, or by what stands beside Sources (tests of other
#   modules, tools). A use is a mention of its name in a file that imports its module; of an initializer, a call with
#   its labels. Public it may be besides: a type in the signature of what is so used, and the initializer of a default
#   value there; a member that a protocol asks for; an operator or subscript, whose use has no name. What only
#   @inlinable code of its own module mentions is @usableFromInline; a test that needs more imports @testable.
# - Documentation: what is public has a line of it, but for members that a protocol asks for, as that says what they
#   are, and an initializer whose every parameter is called as a property of the type, as that one is described.
#   A comment above several cases of an enum, in one line of code, speaks of all.
# - Functions have at most 40 lines, from the first of the signature to the last brace, and 5 parameters; how many may
#   have more is said here.
use strict;
use warnings;

my %may_exceed = (lines => 2, parameters => 16);

# What protocols of the standard library and of Foundation ask for, as far as Sources conform to them.
my %outside = (
    AdditiveArithmetic => [qw(zero + - += -=)], CaseIterable => [qw(allCases)], CodingKey => [qw(stringValue intValue)],
    Collection => [qw(startIndex endIndex index subscript)], Comparable => [qw(< <= > >=)],
    CustomStringConvertible => [qw(description)], Decodable => [qw(init)], Encodable => [qw(encode)],
    Equatable => [qw(==)], Hashable => [qw(== hash)], Identifiable => [qw(id)], IteratorProtocol => [qw(next)],
    LocalizedError => [qw(errorDescription)], OptionSet => [qw(rawValue init)], RawRepresentable => [qw(rawValue init)],
    Sequence => [qw(makeIterator)],
);
my %declares = map { $_ => 1 } qw(struct enum class actor protocol extension typealias associatedtype func init deinit
    subscript var let case import operator precedencegroup macro);
my %modifies = map { $_ => 1 } qw(public package open internal private fileprivate static class final mutating
    nonmutating borrowing consuming lazy weak unowned indirect override required convenience nonisolated prefix postfix
    infix dynamic optional);
my %is_type = map { $_ => 1 } qw(struct enum class actor protocol extension);

# MARK: - Reading

# The file being read: its tokens, their lines, the line where each ends, the partner of each bracket, the lines that
# are documentation.
my (@token, @line, @end, @partner, %documentation, $row, $path, $module);

# Reads `$_` from pos to its end, or to the bracket that closes an interpolation.
sub read_tokens {
    my $interpolation = shift;
    my @open;
    while (1) {
        if (/\G\n/gc) { $row++ }
        elsif (/\G[ \t\r]+/gc) { }
        elsif (m{\G///[^\n]*}gc) { $documentation{$row} = 1 }
        elsif (m{\G//[^\n]*}gc) { }
        elsif (m{\G/\*.*?\*/}gcs) { $row += ($& =~ tr/\n//) }
        elsif (/\G(#*)("""|")/gc) { read_string($1, $2) }
        elsif (/\G`?([A-Za-z_\$][A-Za-z0-9_]*)`?/gc) { push_token($1) }
        elsif (/\G[0-9][0-9A-Za-z_]*(?:\.[0-9][0-9A-Za-z_]*)?/gc) { push_token($&) }
        elsif (/\G(?:->|==|!=|<=|>=|&&|\|\||\.\.\.|\.\.<|[-+*\/]=)/gc) { push_token($&) }
        elsif (/\G[\[({]/gc) { push @open, scalar @token; push_token($&) }
        elsif (/\G[\])}]/gc) {
            my $bracket = $&;
            return if $interpolation && !@open;
            my $from = pop @open;
            if (defined $from) { $partner[$from] = @token }
            push_token($bracket);
        }
        elsif (/\G./gc) { push_token($&) }
        else { return }
    }
}

sub push_token { push @token, shift; push @line, $row; push @end, $row }

# A string is one token, and those of what is put into it.
sub read_string {
    my ($hashes, $quotes) = @_;
    push_token('"');
    my $string = $#token;
    while (1) {
        if (/\G\Q$quotes$hashes\E/gc) { last }
        elsif (/\G\\\Q$hashes\E\(/gc) { read_tokens(1) }
        elsif (/\G\\\Q$hashes\E./gcs) { $row++ if substr($&, -1) eq "\n" }
        elsif (/\G\n/gc) { $row++ }
        elsif (/\G./gcs) { }
        else { last }
    }
    $end[-1] = $row;
}

sub read_file {
    ($path, $module) = @_;
    open my $file, '<', $path or die "$path: $!";
    local $/;
    local $_ = <$file>;
    (@token, @line, @end, @partner, %documentation) = ();
    $row = 1;
    pos = 0;
    read_tokens(0);
}

sub leads { my $i = shift; $i == 0 || $line[$i] != $end[ $i - 1 ] }
sub is_name { $_[0] =~ /^[A-Za-z_\$]/ }

# MARK: - Declarations

# Each: file, module, line, kind, name, access, attributes, owner (a type or none), names of its signature, labels,
# documented, first and last token of its body.
my (@declarations, %inlinable_mentions);

sub begins_declaration {
    my $i = shift;
    my $text = $token[$i];
    return 1 if $text eq '@' || $text eq '}' || $text eq '#' || $text eq ';';
    return 1 if $declares{$text} || $modifies{$text};
    return 0;
}

# Where the declaration, whose tokens so far end before $i, ends: before what begins another.
sub end_of_declaration {
    my $i = shift;
    while ($i < @token) {
        return $i if $token[$i] eq '}' || $token[$i] eq ';' || leads($i) && begins_declaration($i);
        $i = defined $partner[$i] ? $partner[$i] + 1 : $i + 1;
    }
    return $i;
}

# The declarations from token $i to the closing brace; $owner is the type that holds them.
sub read_scope {
    my ($i, $owner) = @_;
    while ($i < @token && $token[$i] ne '}') {
        my $first = $i;
        my (%attributes, $access, %modifiers);
        while ($i < @token) {
            if ($token[$i] eq '@') {
                $attributes{ $token[ $i + 1 ] } = 1;
                $i += 2;
                $i = $partner[$i] + 1 if ($token[$i] // '') eq '(' && $line[$i] == $line[ $i - 1 ];
            } elsif ($modifies{ $token[$i] } && !($token[$i] eq 'class' && is_name($token[ $i + 1 ]) && !$modifies{ $token[ $i + 1 ] } && !$declares{ $token[ $i + 1 ] })) {
                if (($token[ $i + 1 ] // '') eq '(') { $i = $partner[ $i + 1 ] + 1; next }
                $modifiers{ $token[$i] } = 1;
                $access = $token[$i] if $token[$i] =~ /^(?:public|package|open|internal|private|fileprivate)$/;
                $i++;
            } else {
                last;
            }
        }
        my $kind = $token[$i] // last;
        if (!$declares{$kind}) { $i++; $i = end_of_declaration($i); $i++ if ($token[$i] // '') eq ';'; next }
        my %declaration = (
            file => $path, module => $module, line => $line[$i], first => $first, kind => $kind, owner => $owner,
            access => $access, attributes => \%attributes, documented => $documentation{ $line[$first] - 1 } ? 1 : 0,
            modifiers => \%modifiers,
        );
        if ($is_type{$kind}) { $i = read_type($i + 1, \%declaration) }
        elsif ($kind eq 'case') { $i = read_cases($i + 1, \%declaration) }
        elsif ($kind =~ /^(?:func|init|subscript)$/) { $i = read_function($i + 1, \%declaration) }
        elsif ($kind =~ /^(?:var|let)$/) { $i = read_variable($i + 1, \%declaration) }
        else {
            my $from = $i + 1;
            $i = end_of_declaration($from);
            if ($kind =~ /^(?:typealias|associatedtype)$/) {
                add(\%declaration, $token[$from], [ $from + 1 .. $i - 1 ]);
            }
        }
        $i++ if ($token[$i] // '') eq ';';
    }
    return $i + 1;
}

sub add {
    my ($declaration, $name, $signature) = @_;
    my %names = map { $token[$_] => 1 } grep { is_name($token[$_]) } @$signature;
    # A value by default may be made by an initializer, which has to be as public.
    my @makes = map { [ $token[$_], arguments($_ + 1) ] }
        grep { $token[$_] =~ /^[A-Z]/ && ($token[ $_ + 1 ] // '') eq '(' } @$signature;
    my %new = (%$declaration, name => $name, signature => [ keys %names ], makes => \@makes);
    push @declarations, \%new;
    return \%new;
}

sub read_type {
    my ($i, $declaration) = @_;
    my $name = $token[ $i++ ];
    while ($token[$i] eq '.') { $name = $token[ $i + 1 ]; $i += 2 }    # extension Outer.Inner
    my (@generic, @conforms);
    my $inherits = 0;
    while ($token[$i] ne '{') {
        if ($token[$i] eq '<' && !$inherits) {
            until ($token[$i] eq '>') { push @generic, $i++ }
        } elsif ($token[$i] eq ':' && !$inherits) {
            $inherits = 1;
        } elsif ($token[$i] eq 'where') {
            $inherits = 2;
        } elsif ($inherits == 1 && is_name($token[$i])) {
            push @conforms, $token[$i];
        } elsif ($inherits == 2) {
            push @generic, $i;
        }
        $i++;
    }
    my $type = add($declaration, $name, \@generic);
    # What stands in one line with its type is described with it.
    $documentation{ $line[$i] - 1 } = 1 if $type->{documented} && ($line[ $partner[$i] ] // 0) == $line[$i];
    push @{ $type->{signature} }, @conforms if $declaration->{kind} =~ /^(?:protocol|class)$/;
    $type->{conforms} = \@conforms;
    return read_scope($i + 1, $type);
}

sub read_cases {
    my ($i, $declaration) = @_;
    my $to = end_of_declaration($i);
    while ($i < $to) {
        my ($name, @payload) = $token[ $i++ ];
        if ($i < $to && $token[$i] eq '(') { @payload = $i .. $partner[$i]; $i = $partner[$i] + 1 }
        add($declaration, $name, \@payload);
        $i = defined $partner[$i] ? $partner[$i] + 1 : $i + 1 while $i < $to && $token[$i] ne ',';
        $i++;
    }
    return $to;
}

sub read_function {
    my ($i, $declaration) = @_;
    my $name = $declaration->{kind};
    my $from = $i;
    if ($name eq 'func') {
        $name = $token[ $i++ ];
        if (!is_name($name)) { $name .= $token[ $i++ ] while $token[$i] ne '(' && $token[$i] ne '<' || $token[$i] eq '<' && $token[ $i + 1 ] !~ /^[A-Z]/ }
    }
    $i++ while $token[$i] ne '(';
    my ($labels, $needed) = labels($i);
    $i = $partner[$i] + 1;
    $i = defined $partner[$i] ? $partner[$i] + 1 : $i + 1
        until $i >= @token || $token[$i] eq '{' || $token[$i] eq '}' || leads($i) && begins_declaration($i);
    my $function = add($declaration, $name, [ $from .. $i - 1 ]);
    @$function{qw(labels needed)} = ($labels, $needed);
    return $i if ($token[$i] // '') ne '{';
    body($function, $i);
    return $partner[$i] + 1;
}

sub read_variable {
    my ($i, $declaration) = @_;
    my $from = $i;
    my $to = end_of_declaration($i);
    my @names;
    if ($token[$i] eq '(') {
        @names = grep { is_name($_) && $_ ne '_' } @token[ $i .. $partner[$i] ];
        $i = $partner[$i] + 1;
    } else {
        @names = ($token[ $i++ ]);
    }
    my $body;
    for (my $j = $i ; $j < $to ; $j = defined $partner[$j] ? $partner[$j] + 1 : $j + 1) {
        if ($token[$j] eq '{') { $body = $j; last }
        push @names, $token[ $j + 1 ] if $token[$j] eq ',' && $token[ $j + 2 ] =~ /^[:=]$/;
    }
    my $until = defined $body ? $body : $to;
    for my $name (@names) {
        my $variable = add($declaration, $name, [ $from .. $until - 1 ]);
        body($variable, $body) if defined $body;
    }
    return $to;
}

# The labels of the parameters in the brackets at $i, and of those without a default.
sub labels {
    my $i = shift;
    my (@labels, @needed, $label);
    my $to = $partner[$i];
    my $begin = $i + 1;
    for (my $j = $i + 1 ; $j < $to ; $j = defined $partner[$j] ? $partner[$j] + 1 : $j + 1) {
        if ($token[$j] eq ':') {
            my $at = is_name($token[ $j - 2 ]) && $j - 2 > $i && $token[ $j - 2 ] !~ /^[(,]$/ ? $j - 2 : $j - 1;
            push @labels, $token[$at];
            push @needed, 1;
        } elsif ($token[$j] eq '=' && @needed) {
            $needed[-1] = 0;
        }
    }
    return (\@labels, \@needed);
}

sub body {
    my ($declaration, $i) = @_;
    my $to = $partner[$i];
    $declaration->{lines} = $line[$to] - $line[ $declaration->{first} ] + 1;
    $declaration->{has_body} = 1;
    if ($declaration->{attributes}{inlinable}) {
        $inlinable_mentions{$module}{$_} = 1 for grep { is_name($_) } @token[ $i .. $to ];
    }
}

# MARK: - Uses

# By module: the names that others mention; the calls of a type's initializer, as strings of labels; the types whose
# initializer is named without a call.
my (%mentioned, %called, %named);

sub note_uses {
    my $owner = shift;
    my @imports;
    for my $i (0 .. $#token) {
        push @imports, $token[ $i + 1 ] if $token[$i] eq 'import';
    }
    @imports = grep { $_ ne $owner && "${_}Tests" ne $owner } @imports;
    my %names = map { $_ => 1 } grep { is_name($_) } @token;
    my (@calls, @bare);
    for my $i (0 .. $#token) {
        next unless is_name($token[$i]);
        my $j = $i + 1;
        if ($token[$i] eq 'init' && ($token[ $i - 1 ] // '') eq '.') {
            my $type = is_name($token[ $i - 2 ]) ? $token[ $i - 2 ] : '';
            $type = '' if $type =~ /^(?:self|Self|super)$/ || $type =~ /^[a-z]/;
            if (($token[$j] // '') eq '(') { push @calls, [ $type, arguments($j) ] }
            else { push @bare, $type }
        } elsif ($token[$i] =~ /^[A-Z]/) {
            if (($token[$j] // '') eq '<') {
                my $depth = 0;
                while ($j < @token && $j < $i + 40) {
                    $depth++ if $token[$j] eq '<';
                    $depth-- if $token[$j] eq '>';
                    $j++;
                    last if $depth == 0;
                }
            }
            push @calls, [ $token[$i] eq 'Self' ? '' : $token[$i], arguments($j) ] if ($token[$j] // '') eq '(' && $line[$j] == $line[ $j - 1 ];
        }
    }
    for my $import (@imports) {
        @{ $mentioned{$import} }{ keys %names } = ();
        push @{ $called{$import}{ $_->[0] } }, $_->[1] for @calls;
        $named{$import}{$_} = 1 for @bare;
    }
}

# The labels of the arguments in the brackets at $i.
sub arguments {
    my $i = shift;
    my $to = $partner[$i];
    my @labels;
    my $begins = 1;
    for (my $j = $i + 1 ; $j < $to ; $j = defined $partner[$j] ? $partner[$j] + 1 : $j + 1) {
        push @labels, $token[ $j + 1 ] eq ':' && is_name($token[$j]) ? $token[$j] : '_' if $begins;
        $begins = $token[$j] eq ',';
    }
    return \@labels;
}

# Whether a call with these arguments can be of a function with these parameters; closures may trail.
sub fits {
    my ($declaration, $arguments) = @_;
    my @labels = @{ $declaration->{labels} };
    my @needed = @{ $declaration->{needed} };
    my $next = 0;
    for my $k (0 .. $#labels) {
        if ($next < @$arguments && $arguments->[$next] eq $labels[$k]) {
            $next++;
            $next++ while $next < @$arguments && $arguments->[$next] eq '_' && ($labels[ $k + 1 ] // '') ne '_';
        } elsif ($needed[$k] && $k < $#labels) {
            return 0;
        }
    }
    return $next == @$arguments;
}

# MARK: - What others can see

my (%types, %protocols, %properties, %aliases);

sub note_declarations {
    for my $declaration (@declarations) {
        my ($of, $kind, $name, $owner) = @$declaration{qw(module kind name owner)};
        push @{ $types{"$of.$name"} }, $declaration if $is_type{$kind};
        $protocols{$name} = $declaration if $kind eq 'protocol';
        if ($kind eq 'typealias') { push @{ $aliases{$_} }, $name for @{ $declaration->{signature} } }
        next unless $owner;
        $owner->{requires}{$name} = 1 if $owner->{kind} eq 'protocol';
        $properties{ $owner->{name} }{$name} = 1 if $kind =~ /^(?:var|let)$/;
    }
}

sub is_exported { (shift->{access} // '') =~ /^(?:public|package|open)$/ }

# Whether it is public, as is what it stands in.
sub is_visible {
    my $declaration = shift;
    my $owner = $declaration->{owner} or return is_exported($declaration);
    my $as_its_type = $owner->{kind} eq 'protocol' || $declaration->{kind} eq 'case';
    return 0 unless $as_its_type || is_exported($declaration) || !$declaration->{access} && is_exported($owner) && $owner->{kind} eq 'extension';
    return is_visible($owner) unless $owner->{kind} eq 'extension';
    my @own = grep { $_->{kind} ne 'extension' } @{ $types{"$owner->{module}.$owner->{name}"} // [] };
    return !@own || grep { is_visible($_) } @own;
}

sub names_a_type { shift->{kind} =~ /^(?:struct|enum|class|actor|protocol|typealias|associatedtype)$/ }

# The names of the protocols that a type conforms to, and that these refine.
sub protocols_of {
    my ($of, $name) = @_;
    my %all;
    my @next = map { @{ $_->{conforms} } } @{ $types{"$of.$name"} // [] };
    push @next, $name if $protocols{$name};
    while (defined(my $protocol = shift @next)) {
        next if $all{$protocol}++;
        push @next, @{ $protocols{$protocol}{conforms} } if $protocols{$protocol};
        push @next, 'Equatable' if $protocol =~ /^(?:Hashable|Comparable)$/;
        push @next, qw(Encodable Decodable) if $protocol eq 'Codable';
    }
    return keys %all;
}

# Whether a protocol asks for it.
sub is_asked_for {
    my $declaration = shift;
    my ($name, $owner) = @$declaration{qw(name owner)};
    return 0 if !$owner || $owner->{kind} eq 'protocol';
    return 1 if $declaration->{modifiers}{override};
    for my $protocol (protocols_of($declaration->{module}, $owner->{name})) {
        if (my $ours = $protocols{$protocol}) {
            return 1 if $ours->{requires}{$name} && is_visible($ours);
        } elsif ($name ne 'init') {
            return 1 if grep { $_ eq $name } @{ $outside{$protocol} // [] };
        } elsif ("@{ $declaration->{labels} }" =~ /^(?:rawValue|from|[a-z]+Literal)$/) {
            return 1;
        }
    }
    return 0;
}

# MARK: - What must be so

# Whether another module, or what stands beside Sources, mentions it.
sub is_mentioned {
    my $declaration = shift;
    my ($of, $name) = @$declaration{qw(module name)};
    return exists $mentioned{$of}{$name} unless $name eq 'init';
    my $type = $declaration->{owner}{name};
    for my $called ($type, @{ $aliases{$type} // [] }, '') {
        next if $called ne '' && !exists $mentioned{$of}{$called};
        return 1 if $named{$of}{$called};
        return 1 if grep { fits($declaration, $_) } @{ $called{$of}{$called} // [] };
    }
    return 0;
}

# Whether it is public because its type is: a case, what is used without a name, what a protocol asks for.
sub follows_its_type {
    my $declaration = shift;
    return !is_exported($declaration) || $declaration->{name} =~ /^(?:subscript|callAsFunction|[^A-Za-z_].*)$/
        || is_asked_for($declaration);
}

# What of it may be public: the types and functions that are mentioned, what is mentioned of these types, and in turn
# the types of their module in the signatures of all that.
sub used {
    my @visible = @_;
    my (%named_types, %members, %is_used);
    for my $declaration (@visible) {
        my ($of, $owner) = @$declaration{qw(module owner)};
        push @{ $named_types{"$of.$declaration->{name}"} }, $declaration if names_a_type($declaration);
        push @{ $members{"$of.$owner->{name}"} }, $declaration if $owner;
    }
    my @next = grep { (!$_->{owner} || names_a_type($_)) && is_mentioned($_) } @visible;
    # What is added to types of other modules.
    push @next, grep { $_->{owner} && !$named_types{"$_->{module}.$_->{owner}{name}"} && (is_mentioned($_) || follows_its_type($_)) } @visible;
    while (defined(my $declaration = shift @next)) {
        next if $is_used{$declaration}++;
        my ($of, $owner) = @$declaration{qw(module owner)};
        push @next, map { @{ $named_types{"$of.$_"} // [] } } @{ $declaration->{signature} }, $owner ? $owner->{name} : ();
        for my $made (@{ $declaration->{makes} }) {
            push @next, grep { $_->{name} eq 'init' && fits($_, $made->[1]) } @{ $members{"$of.$made->[0]"} // [] };
        }
        next unless names_a_type($declaration);
        push @next, grep { follows_its_type($_) || is_mentioned($_) } @{ $members{"$of.$declaration->{name}"} // [] };
    }
    return \%is_used;
}

# Whether an initializer takes the properties of its type by their names.
sub is_described_by_its_type {
    my $declaration = shift;
    return 0 unless $declaration->{kind} eq 'init';
    return !grep { !$properties{ $declaration->{owner}{name} }{$_} } @{ $declaration->{labels} };
}

# MARK: - Work

for my $file (split /\n/, `find Sources Tests tools -name '*.swift' | sort`) {
    my ($root, $of) = split m{/}, $file;
    read_file($file, $of);
    note_uses($of);
    read_scope(0, undef) if $root eq 'Sources';
}
note_declarations();

@declarations = grep { $_->{kind} ne 'extension' } @declarations;
my @visible = grep { is_visible($_) } @declarations;
my $is_used = used(@visible);
my @unused = grep { is_exported($_) && !$is_used->{$_} } @declarations;
my @undocumented = grep { !$_->{documented} && !is_asked_for($_) && !is_described_by_its_type($_) } @visible;
my @long = grep { ($_->{lines} // 0) > 40 } @declarations;
my @wide = grep { @{ $_->{labels} // [] } > 5 } @declarations;

sub report {
    my ($declaration, $what) = @_;
    my $name = join '.', map { $_->{name} } grep { $_ } @$declaration{qw(owner)}, $declaration;
    print "$declaration->{file}:$declaration->{line}: $declaration->{kind} $name $what\n";
}

for my $unused (@unused) {
    my $inline = $inlinable_mentions{ $unused->{module} }{ $unused->{name} };
    report($unused, 'is public, but no other module uses it' . ($inline ? ': perhaps @usableFromInline' : ''));
}
report($_, 'is public without documentation') for @undocumented;
if (@long > $may_exceed{lines}) { report($_, "has $_->{lines} lines") for @long }
if (@wide > $may_exceed{parameters}) { report($_, 'has ' . @{ $_->{labels} } . ' parameters') for @wide }
printf "%d public declarations: %d unused outside, %d undocumented; %d functions of over 40 lines, %d of over 5 parameters\n",
    map { scalar @$_ } \@visible, \@unused, \@undocumented, \@long, \@wide;
exit(@unused || @undocumented || @long > $may_exceed{lines} || @wide > $may_exceed{parameters} ? 1 : 0);
