package org.vhostuserrng.backends.local;

import java.io.IOException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.sys.RepeatedGetrandom;
import org.vhostuserrng.backends.sys.VdsoGetrandom;

/**
 * The source {@code getrandom}: the kernel's generator, called through the vDSO function (Linux 6.11) or the system
 * call, whichever is faster on this host. {@code getrandom,via=vdso} and {@code getrandom,via=syscall} use only one of
 * them. Never blocks, so it is called on the event loop's thread.
 */
public final class GetrandomSourceSpec implements SharedSourceSpec {
    /** The keyword in an expression. */
    public static final String NAME = "getrandom";
    /** Option: the only path to use. */
    public static final String VIA = "via";

    private static final Logger LOG = LoggerFactory.getLogger(GetrandomSourceSpec.class);

    /** The only path to use; null for the faster one for each length. */
    private final GetrandomPath onlyPath;
    /** The path to use for each length; null before the first use. */
    private GetrandomPathTable paths;

    /** Creates a source that uses the faster path for each length. */
    public GetrandomSourceSpec() {
        this(null);
    }

    /** Creates a source that uses only {@code onlyPath}; null for the faster path for each length. */
    public GetrandomSourceSpec(GetrandomPath onlyPath) {
        this.onlyPath = onlyPath;
    }

    @Override
    public String toString() {
        return onlyPath == null ? NAME : NAME + "," + VIA + "=" + onlyPath;
    }

    /**
     * {@inheritDoc} Measures which path is faster. Does not check for the system call: Linux has it since 3.17, and
     * older kernels cannot run this JVM.
     */
    @Override
    public void probe() throws IOException {
        if (onlyPath == GetrandomPath.VDSO && !VdsoGetrandom.isAvailable()) {
            throw new IOException("this kernel has no vDSO function getrandom, which Linux has since 6.11");
        }
        paths();
    }

    @Override
    public double minEntropy() {
        return Byte.SIZE;
    }

    @Override
    public EntropySource open(Runnable onReadable) {
        GetrandomPathTable table = paths();
        Optional<VdsoGetrandom> vdso = table.uses(GetrandomPath.VDSO) ? VdsoGetrandom.open() : Optional.empty();
        return vdso.isPresent()
                ? new GetrandomSource(table, vdso.get())
                : new GetrandomSource(GetrandomPathTable.always(GetrandomPath.SYSCALL), null);
    }

    @Override
    public String hostDetails() {
        return paths().toString();
    }

    private GetrandomPathTable paths() {
        if (paths == null) {
            paths = onlyPath == null ? fasterPaths() : GetrandomPathTable.always(onlyPath);
        }
        return paths;
    }

    private static GetrandomPathTable fasterPaths() {
        Optional<VdsoGetrandom> opened = VdsoGetrandom.open();
        if (opened.isEmpty()) {
            LOG.debug("getrandom: this kernel has no vDSO function, uses the system call");
            return GetrandomPathTable.always(GetrandomPath.SYSCALL);
        }
        try (VdsoGetrandom vdso = opened.get();
                RepeatedGetrandom calls = new RepeatedGetrandom(vdso, GetrandomPathTable.MAX_MEASURED_BYTES)) {
            GetrandomPathCalibration benchmark =
                    new GetrandomPathCalibration(System::nanoTime, calls::callVdso, calls::callSyscall);
            GetrandomPathTable faster = benchmark.run();
            LOG.debug("getrandom: {}", benchmark.report());
            return faster;
        }
    }
}
