@echo off
rem Your own settings: take away the rem of a line to use it. A double click on this file starts Easel.

rem The Python to use, 3.11 to 3.13
rem set "PYTHON=C:\Python312\python.exe"

rem The git to use for extensions
rem set "GIT=git"

rem Folder of the virtual environment, or - for none
rem set "VENV_DIR=venv"

rem Flags, as webui.bat --help lists them, for example --medvram --data-dir "D:\my pictures".
rem Relative paths start at the folder of this file.
rem set COMMANDLINE_ARGS=

rem Another build of torch than the one that is found for this machine
rem set TORCH_COMMAND=pip install torch==2.14.1 torchvision==0.29.1 --index-url https://download.pytorch.org/whl/cu130

rem Another list of packages
rem set "REQS_FILE=requirements.txt"

rem Without "call", which would change % and ^ in what is given.
"%~dp0webui.bat" %*
