package main

// version is the module that the edits were written for.
const version = "v0.0.0-20260905035102-160fafc42237"

// sum is the hash of its content, as go.sum has it.
const sum = "h1:AU5+CtCvnBnxdZRNcZt1NfSLqgkXZVT3N/u6u1aXg44="

// edits are the smallest that give the runtime memory files of ours, images that share blocks with them, and a root that leaves others
// their room on the disk. What needs more than a line is in a file of our own under added/.
var edits = []edit{
	// Pages files are read and written by whoever has set the hooks.
	{
		"pkg/sentry/state/stateio/pagesfile.go",
		"func NewPagesFileFDReaderDefault(fd int32) *FDReader {\n",
		"func NewPagesFileFDReaderDefault(fd int32) AsyncReader {\n\tif PagesReader != nil {\n\t\treturn PagesReader(fd)\n\t}\n",
	},
	{
		"pkg/sentry/state/stateio/pagesfile.go",
		"func NewPagesFileFDWriterDefault(fd int32) *FDWriter {\n",
		"func NewPagesFileFDWriterDefault(fd int32) AsyncWriter {\n\tif PagesWriter != nil {\n\t\treturn PagesWriter(fd)\n\t}\n",
	},
	// The sandbox's memory lies in a file that it was given, if it was given one.
	{
		"runsc/boot/loader.go",
		"\tmemfd, err := memutil.CreateMemFD(memfileName, 0)\n\tif err != nil {\n\t\treturn nil, fmt.Errorf(\"error creating memfd: %w\", err)\n\t}\n\tmemfile := os.NewFile(uintptr(memfd), memfileName)\n",
		"\tmemfile := donatedMemoryFile(memfileName)\n\tif memfile == nil {\n\t\tmemfd, err := memutil.CreateMemFD(memfileName, 0)\n\t\tif err != nil {\n\t\t\treturn nil, fmt.Errorf(\"error creating memfd: %w\", err)\n\t\t}\n\t\tmemfile = os.NewFile(uintptr(memfd), memfileName)\n\t}\n",
	},
	{
		"runsc/cmd/sentry/sentrycmd/boot.go",
		"\tfsRestoreFDs             sandboxsetup.IntFlags\n",
		"\tmemoryFileFDs            sandboxsetup.IntFlags\n\tfloorFD                  int\n\tdiskReserve              uint64\n\tfsRestoreFDs             sandboxsetup.IntFlags\n",
	},
	{
		"runsc/cmd/sentry/sentrycmd/boot.go",
		"\tf.Var(&b.fsRestoreFDs, \"fs-restore-fds\"",
		"\tf.Var(&b.memoryFileFDs, \"memory-file-fds\", \"files for the sandbox's memory: of the kernel made at boot, and of the one made by a restore\")\n\tf.IntVar(&b.floorFD, \"floor-fd\", -1, \"file that says how much of the disk the root leaves free\")\n\tf.Uint64Var(&b.diskReserve, \"disk-reserve\", 0, \"bytes that the root may have all the same\")\n\tf.Var(&b.fsRestoreFDs, \"fs-restore-fds\"",
	},
	{
		"runsc/cmd/sentry/sentrycmd/boot.go",
		"\t// Create the loader.\n\tbootArgs := boot.Args{\n",
		"\tboot.DonateMemoryFiles(b.memoryFileFDs.GetFDs())\n\tboot.DonateFloor(b.floorFD, b.diskReserve)\n\n\t// Create the loader.\n\tbootArgs := boot.Args{\n",
	},
	{
		"runsc/sandbox/sandbox.go",
		"\tdonations.DonateAndClose(\"sink-fds\", args.SinkFiles...)\n",
		"\tdonations.DonateAndClose(\"sink-fds\", args.SinkFiles...)\n\tmemoryFiles, err := openMemoryFiles(s.ID)\n\tif err != nil {\n\t\treturn err\n\t}\n\tdonations.DonateAndClose(\"memory-file-fds\", memoryFiles...)\n\tif err := donateFloor(s.ID, &donations, cmd); err != nil {\n\t\treturn err\n\t}\n",
	},
	// The sandbox may share blocks between files that it has open.
	{
		"runsc/boot/filter/config/config_main.go",
		"\tunix.SYS_IOCTL: seccomp.Or{\n\t\t// These commands are needed for host FD.\n",
		"\tunix.SYS_IOCTL: seccomp.Or{\n\t\t// Images share blocks with the memory file.\n\t\tseccomp.PerArg{\n\t\t\tseccomp.NonNegativeFD{}, /* fd */\n\t\t\tseccomp.EqualTo(unix.FICLONERANGE),\n\t\t\tseccomp.AnyValue{}, /* struct file_clone_range* */\n\t\t},\n\t\t// These commands are needed for host FD.\n",
	},
	// The root takes new pages only while the disk has room for them. What an image brings along was the root's before.
	{
		"pkg/sentry/fsimpl/tmpfs/filesystem.go",
		"\t\tif fs.pagesUsed.CompareAndSwap(pagesUsed, pagesUsed+toInc) {\n",
		"\t\tif toInc = fs.roomToGrow(pagesUsed, toInc); toInc == 0 {\n\t\t\treturn 0\n\t\t}\n\t\tif fs.pagesUsed.CompareAndSwap(pagesUsed, pagesUsed+toInc) {\n",
	},
	{
		"pkg/sentry/fsimpl/tmpfs/filesystem.go",
		"\t\tif fs.pagesUsed.CompareAndSwap(pagesUsed, pagesUsed+pagesInc) {\n",
		"\t\tif fs.roomToGrow(pagesUsed, pagesInc) < pagesInc {\n\t\t\treturn false\n\t\t}\n\t\tif fs.pagesUsed.CompareAndSwap(pagesUsed, pagesUsed+pagesInc) {\n",
	},
	{
		"pkg/sentry/fsimpl/tmpfs/tmpfs.go",
		"\tst.BlocksAvailable = fs.maxSizeInPages - pagesUsed\n",
		"\tst.BlocksAvailable = fs.roomOnDisk(pagesUsed, fs.maxSizeInPages-pagesUsed)\n",
	},
	{
		"pkg/sentry/fsimpl/tmpfs/fscheckpoint.go",
		"\tif !cb.fs.accountPages(n) {\n",
		"\tif !cb.fs.accountImage(n) {\n",
	},
	{
		"pkg/sentry/fsimpl/tmpfs/tar.go",
		"\t\tif !fs.accountPages(1) {\n",
		"\t\tif !fs.accountImage(1) {\n",
	},
	// What it took has its blocks from then on, and keeps them: a write to a page that was granted asks nobody.
	{
		"pkg/sentry/fsimpl/tmpfs/regular_file.go",
		"\t\tMemCgID: memCgID,\n\t\tHuge:    mayHuge,\n",
		"\t\tMemCgID: memCgID,\n\t\tMode:    rf.inode.fs.mappedMode(),\n\t\tHuge:    mayHuge,\n",
	},
	{
		"pkg/sentry/pgalloc/save_restore.go",
		"\t\tif !opts.ExcludeCommittedZeroPages && wasCommitted {\n\t\t\talreadyCommittedBytes += fr.Length()\n\t\t\tmaseg = updateAddRange(maseg, fr, true /* wasCommitted */",
		"\t\tif f.KeepsPages() || !opts.ExcludeCommittedZeroPages && wasCommitted {\n\t\t\talreadyCommittedBytes += fr.Length()\n\t\t\tmaseg = updateAddRange(maseg, fr, wasCommitted",
	},
}
