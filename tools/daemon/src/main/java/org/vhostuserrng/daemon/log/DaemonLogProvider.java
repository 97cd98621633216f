package org.vhostuserrng.daemon.log;

import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/**
 * The daemon's SLF4J provider. It replaces slf4j-simple, whose loggers keep the level that they were created with.
 */
public final class DaemonLogProvider implements SLF4JServiceProvider {
    private static final String API_VERSION = "2.0.99";
    /** Property of SLF4J: the class of the provider. */
    private static final String PROVIDER = "slf4j.provider";
    /** Property of SLF4J: without it, a line on standard error names the provider. */
    private static final String VERBOSITY = "slf4j.internal.verbosity";

    private final IMarkerFactory markers = new BasicMarkerFactory();
    private final MDCAdapter contexts = new NOPMDCAdapter();

    /** Called by SLF4J. */
    public DaemonLogProvider() {}

    /** Makes SLF4J use this provider. Must precede the first logger. */
    public static void install() {
        System.setProperty(PROVIDER, DaemonLogProvider.class.getName());
        System.setProperty(VERBOSITY, "WARN");
    }

    @Override
    public ILoggerFactory getLoggerFactory() {
        return DaemonLogger::new;
    }

    @Override
    public IMarkerFactory getMarkerFactory() {
        return markers;
    }

    @Override
    public MDCAdapter getMDCAdapter() {
        return contexts;
    }

    @Override
    public String getRequestedApiVersion() {
        return API_VERSION;
    }

    @Override
    public void initialize() {
        // Nothing to do.
    }
}
