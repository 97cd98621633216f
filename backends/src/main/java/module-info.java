/** Entropy sources and rate limiters. */
module org.vhostuserrng.backends {
    requires org.slf4j;
    requires org.jctools.core;

    exports org.vhostuserrng.backends.expression;
    exports org.vhostuserrng.backends.limiter;
    exports org.vhostuserrng.backends.source;
}
